import type { ObjectInput } from './object-schema.ts';

type Spec = NonNullable<ObjectInput['spec']>;

const TOLERATED = ['not-ready', 'unreachable'];

/** What the API server adds to a Pod's specification where it is silent. */
export function withPodDefaults(spec: Spec = {}): Spec {
  const { containers = [], serviceAccountName, tolerations = [], ...rest } = spec;
  const given = Array.isArray(tolerations) ? tolerations : [];
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    ...rest,
    containers: containers.map((container) => ({
      resources: {},
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: pullPolicy(typeof container['image'] === 'string' ? container['image'] : ''),
      ...container,
    })),
    ...(serviceAccountName && { serviceAccountName, serviceAccount: serviceAccountName }),
    tolerations: [
      ...given,
      ...TOLERATED.map((what) => `node.kubernetes.io/${what}`)
        .filter((key) => !given.some((toleration) => Object(toleration)['key'] === key))
        .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })),
    ],
  };
}

/** An image without a tag is the latest one, which may change. */
function pullPolicy(image: string): string {
  const tag = /:(?<tag>[^:/]+)$/.exec(image)?.groups?.['tag'] ?? 'latest';
  return tag === 'latest' && !image.includes('@') ? 'Always' : 'IfNotPresent';
}
