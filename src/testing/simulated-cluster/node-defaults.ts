import type { ObjectInput } from './object-schema.ts';

const NOT_READY = { effect: 'NoSchedule', key: 'node.kubernetes.io/not-ready' };
/** `status.nodeInfo` before a kubelet has said anything. */
export const UNKNOWN_INFO: Readonly<Record<string, string>> = {
  machineID: '',
  systemUUID: '',
  bootID: '',
  kernelVersion: '',
  osImage: '',
  containerRuntimeVersion: '',
  kubeletVersion: '',
  kubeProxyVersion: '',
  operatingSystem: '',
  architecture: '',
};

/** What the API server adds to a Node that is created: nothing is to run there before its kubelet says that it is ready. */
export function withNodeDefaults({ spec, status, ...input }: ObjectInput): ObjectInput {
  const taints: readonly unknown[] = Array.isArray(spec?.['taints']) ? spec['taints'] : [];
  const isTainted = taints.some(
    (taint) => Object(taint)['key'] === NOT_READY.key && Object(taint)['effect'] === NOT_READY.effect,
  );
  return {
    ...input,
    spec: { ...spec, taints: isTainted ? taints : [...taints, NOT_READY] },
    status: {
      daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
      ...status,
      nodeInfo: { ...UNKNOWN_INFO, ...Object(status?.['nodeInfo']) },
    },
  };
}
