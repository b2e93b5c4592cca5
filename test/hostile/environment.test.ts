import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { startWatchedService } from './support/start-watched-service.ts';

test('no review goes through a proxy that the environment names', async () => {
  let connections = 0;
  await using proxy = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const named = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  await using cluster = await startSimulatedCluster();
  const pod = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
  await using service = await startWatchedService(cluster, {
    NODE_USE_ENV_PROXY: '1',
    no_proxy: '',
    NO_PROXY: '',
    ...Object.fromEntries(named.map((name) => [name, address])),
  });

  const token = await pod.token({ audiences: 'orders' });
  const answer = await fetch(`http://127.0.0.1:${service.port}/orders`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect([answer.status, connections]).toEqual([200, 0]);
});
