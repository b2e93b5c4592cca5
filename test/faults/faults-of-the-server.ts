import type { RealCluster } from '../cluster/kube-apiserver.ts';
import type { Fault } from './fault.ts';

/** Those that happen to the processes of a real cluster. */
export function faultsOfTheServer(cluster: () => RealCluster): readonly Fault[] {
  return [
    {
      name: 'kube-apiserver is stopped (SIGSTOP), and goes on',
      happen: () => {
        cluster().pauseApiserver();
        return () => cluster().resumeApiserver();
      },
      isOutage: true,
      log: ['api_server_timeout', 'api_server_down'],
      words: /No answer within 3000 ms/,
      lastsMs: 6_000,
    },
    {
      name: 'kube-apiserver is killed and started again',
      happen: () => {
        const back = cluster().restartApiserver();
        return () => back;
      },
      // The first of them may still meet the one that dies, the last ones the one that comes.
      newCallers: [200, 503],
      // While it starts it answers before it knows any ServiceAccount or rights, ours among them.
      log: [
        'api_server_unreachable',
        'api_server_down',
        'api_server_timeout',
        'api_server_overloaded',
        'reviewer_unauthenticated',
        'reviewer_forbidden',
      ],
      lastsMs: 3_500,
    },
    {
      // It vouches for all that its informers know, and does not get to the end of a look-up of anything else.
      name: 'etcd is gone',
      happen: async () => {
        await cluster().stopEtcd();
        return () => cluster().startEtcd();
      },
      newCallers: [200],
      refused: 503,
      log: ['api_server_timeout'],
      lastsMs: 10_000,
    },
  ];
}
