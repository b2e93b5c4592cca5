import { z } from 'zod';
import { type KubernetesObject, rbacFields } from '../cluster-client/kubernetes-object.ts';

/** An object as it is sent: what the simulated cluster checks of it. Unknown fields are kept. */
export interface ObjectInput {
  kind?: string | undefined;
  apiVersion?: string | undefined;
  metadata?: MetadataInput | undefined;
  spec?: SpecInput | undefined;
  status?: { phase?: string | undefined; [field: string]: unknown } | undefined;
  type?: string | undefined;
  data?: Record<string, string> | undefined;
  stringData?: Record<string, string> | undefined;
  rules?: KubernetesObject['rules'];
  aggregationRule?: KubernetesObject['aggregationRule'];
  subjects?: KubernetesObject['subjects'];
  roleRef?: KubernetesObject['roleRef'];
  [field: string]: unknown;
}

interface MetadataInput {
  name?: string | undefined;
  generateName?: string | undefined;
  namespace?: string | undefined;
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  finalizers?: string[] | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  [field: string]: unknown;
}

interface SpecInput {
  serviceAccountName?: string | undefined;
  nodeName?: string | undefined;
  terminationGracePeriodSeconds?: number | undefined;
  containers?: { name: string; [field: string]: unknown }[] | undefined;
  [field: string]: unknown;
}

export interface DeleteOptions {
  gracePeriodSeconds?: number | undefined;
  preconditions?: { uid?: string | undefined } | undefined;
}

const strings = z.record(z.string(), z.string()).optional();

/** Go's error. */
function illegalBase64(text: string): string {
  return `illegal base64 data at input byte ${text.search(/[^A-Za-z0-9+/]|$/)}`;
}

export const objectSchema: z.ZodType<ObjectInput> = z.looseObject({
  kind: z.string().optional(),
  apiVersion: z.string().optional(),
  metadata: z
    .looseObject({
      name: z.string().optional(),
      generateName: z.string().optional(),
      namespace: z.string().optional(),
      uid: z.string().optional(),
      resourceVersion: z.string().optional(),
      finalizers: z.array(z.string()).optional(),
      labels: strings,
      annotations: strings,
    })
    .optional(),
  spec: z
    .looseObject({
      serviceAccountName: z.string().optional(),
      nodeName: z.string().optional(),
      terminationGracePeriodSeconds: z.int().optional(),
      containers: z.array(z.looseObject({ name: z.string() })).optional(),
    })
    .optional(),
  status: z.looseObject({ phase: z.string().optional() }).optional(),
  type: z.string().optional(),
  data: z.record(z.string(), z.base64({ error: ({ input }) => illegalBase64(String(input)) })).optional(),
  stringData: strings,
  ...rbacFields,
});

export const deleteOptionsSchema: z.ZodType<DeleteOptions> = z.object({
  gracePeriodSeconds: z.int().optional(),
  preconditions: z.object({ uid: z.string().optional() }).optional(),
});
