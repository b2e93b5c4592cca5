import { z } from 'zod';

/** What the clients, and the simulated cluster, know of a Kubernetes object. Further fields are kept as they are. */
export interface KubernetesObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly spec?: ObjectSpec | undefined;
  readonly status?: { readonly phase?: string | undefined; readonly [field: string]: unknown } | undefined;
  /** Only of a Secret. */
  readonly type?: string | undefined;
  /** Only of a Secret: base64. */
  readonly data?: Readonly<Record<string, string>> | undefined;
  /** Only of a Role or ClusterRole. */
  readonly rules?: readonly PolicyRule[] | null | undefined;
  /** Only of a ClusterRole. */
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] | undefined } | undefined;
  /** Only of a RoleBinding or ClusterRoleBinding. */
  readonly subjects?: readonly RbacSubject[] | undefined;
  /** Only of a RoleBinding or ClusterRoleBinding. */
  readonly roleRef?: RoleRef | undefined;
  readonly [field: string]: unknown;
}

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly resourceNames?: readonly string[] | undefined;
  readonly nonResourceURLs?: readonly string[] | undefined;
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[]
    | undefined;
}

export interface RbacSubject {
  readonly kind: string;
  readonly apiGroup?: string | undefined;
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface RoleRef {
  readonly apiGroup?: string | undefined;
  readonly kind: string;
  readonly name: string;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number | undefined;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string | undefined;
  readonly deletionGracePeriodSeconds?: number | undefined;
  readonly finalizers?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly [field: string]: unknown;
}

export interface ObjectSpec {
  /** Only of a Pod, as are the following. */
  readonly serviceAccountName?: string | undefined;
  readonly nodeName?: string | undefined;
  readonly terminationGracePeriodSeconds?: number | undefined;
  readonly [field: string]: unknown;
}

const strings = z.record(z.string(), z.string()).optional();
const list = z.array(z.string()).optional();

/** The parts of roles and bindings, as they stand in an object and as they are sent. */
export const rbacFields: {
  readonly rules: z.ZodType<readonly PolicyRule[] | null | undefined>;
  readonly aggregationRule: z.ZodType<KubernetesObject['aggregationRule']>;
  readonly subjects: z.ZodType<readonly RbacSubject[] | undefined>;
  readonly roleRef: z.ZodType<RoleRef | undefined>;
} = {
  rules: z
    .array(
      z.object({
        verbs: z.array(z.string()).default([]),
        apiGroups: list,
        resources: list,
        resourceNames: list,
        nonResourceURLs: list,
      }),
    )
    .nullish(),
  aggregationRule: z
    .object({
      clusterRoleSelectors: z
        .array(
          z.object({
            matchLabels: strings,
            matchExpressions: z
              .array(z.object({ key: z.string().default(''), operator: z.string().default(''), values: list }))
              .optional(),
          }),
        )
        .optional(),
    })
    .optional(),
  subjects: z
    .array(
      z.object({
        kind: z.string().default(''),
        apiGroup: z.string().optional(),
        name: z.string().default(''),
        namespace: z.string().optional(),
      }),
    )
    .optional(),
  roleRef: z
    .object({ apiGroup: z.string().optional(), kind: z.string().default(''), name: z.string().default('') })
    .optional(),
};

/** Throws if the API server's answer is no such object. */
export function kubernetesObject(answer: unknown): KubernetesObject {
  return schema.parse(answer);
}

const schema: z.ZodType<KubernetesObject> = z.looseObject({
  kind: z.string(),
  apiVersion: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string(),
    resourceVersion: z.string(),
    generation: z.number().optional(),
    creationTimestamp: z.string(),
    deletionTimestamp: z.string().optional(),
    deletionGracePeriodSeconds: z.number().optional(),
    finalizers: z.array(z.string()).optional(),
    labels: strings,
    annotations: strings,
  }),
  spec: z
    .looseObject({
      serviceAccountName: z.string().optional(),
      nodeName: z.string().optional(),
      terminationGracePeriodSeconds: z.number().optional(),
    })
    .optional(),
  status: z.looseObject({ phase: z.string().optional() }).optional(),
  type: z.string().optional(),
  data: strings,
  ...rbacFields,
});
