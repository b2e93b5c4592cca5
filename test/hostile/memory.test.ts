import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PodHandle } from '../../src/testing/cluster-client/pod-handle.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { startWatchedService, type WatchedService } from './support/start-watched-service.ts';

/**
 * What a heap snapshot shows is every string of the process, also those that are parts or joints of others. It does not
 * show what lies outside of V8's heap: the buffers of sockets, TLS and Node's HTTP parser, which are reused or freed.
 *
 * Node itself keeps the last request of each kept-alive connection, its headers included, until the next one comes or
 * the connection ends. That is out of our hands, so each connection carries one more request, without a token.
 */
const connections = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));

let cluster: SimulatedCluster;
let web: PodHandle;
let service: WatchedService;

beforeAll(async () => {
  cluster = await startSimulatedCluster();
  web = await cluster.createPod('shop/web-1', { serviceAccount: 'web', node: 'node-a' });
  service = await startWatchedService(cluster);
});

afterAll(async () => {
  for (const agent of connections) agent.destroy();
  await service[Symbol.asyncDispose]();
  await cluster.close();
});

async function reviewsEnd(): Promise<void> {
  while ((await service.told('reviewsInFlight')) !== 0) await sleep(5);
}

let turn = 0;

/** Sends a request over the next of the kept-alive connections; resolves with its status. */
async function status(path: string, authorization: string | undefined): Promise<number> {
  turn += 1;
  const agent = connections[turn % connections.length];
  const request = get({
    port: service.port,
    host: '127.0.0.1',
    path: encodeURI(path),
    ...(agent && { agent }),
    headers: authorization === undefined ? {} : { authorization },
  });
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

const validToken = (): Promise<string> => web.token({ audiences: 'orders' });

async function deletedPodsToken(): Promise<string> {
  const pod = await cluster.createPod('shop/gone', { serviceAccount: 'web' });
  const token = await pod.token({ audiences: 'orders' });
  await pod.delete({ gracePeriodSeconds: 0 });
  return token;
}

const claimsOf = (token: string): object =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;

/** A client that hangs up while its token is being reviewed. */
async function hangUp(token: string): Promise<void> {
  const hanging = cluster.fault('tokenreviews', { hang: true }, { times: 1 });
  const client = connect(service.port, '127.0.0.1').on('error', () => {});
  client.write(`GET /orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  while (hanging.hits === 0) await sleep(5);
  client.destroy();
  await once(client, 'close');
  // Lifted, it resets the connection: the review is tried again, and ends.
  hanging[Symbol.dispose]();
}

async function failing(fault: Parameters<SimulatedCluster['fault']>[1], token: string): Promise<number> {
  using _ = cluster.fault('tokenreviews', fault);
  return await status('/orders', `Bearer ${token}`);
}

/** Pieces of a token that no other has: of its claims, around the `jti`, and of its signature. */
function piecesOf(token: string): string[] {
  const [, payload = '', signature = ''] = token.split('.');
  const jti = Math.floor((Buffer.from(payload, 'base64url').indexOf('"jti"') / 3) * 4) + 12;
  return [payload.slice(jti, jti + 30), signature.slice(0, 30), signature.slice(100, 130), signature.slice(300, 330)];
}

/** Which of these secrets the process of the service has in its memory. */
async function found(secrets: ReadonlyMap<string, string>): Promise<string[]> {
  const file = join(service.directory, 'memory.heapsnapshot');
  await service.told('snapshot', file);
  const snapshot = await readFile(file);
  expect(snapshot.includes('system:serviceaccount:shop:web')).toBe(true);
  return [...secrets]
    .filter(([, token]) => piecesOf(token).some((piece) => snapshot.includes(piece)))
    .map(([name]) => name);
}

test('no token is in memory after its request, and no credential after its rotation', async () => {
  const tokens = new Map<string, string>();
  const present = async (name: string, token: string, expected: number, path = '/orders'): Promise<void> => {
    tokens.set(name, token);
    expect([name, await status(path, `Bearer ${token}`)]).toEqual([name, expected]);
  };
  tokens.set('our own credential before its rotation', await service.rotateCredential());

  const cached = await validToken();
  await present('valid', cached, 200);
  await present('valid, from the cache', cached, 200);
  const forged = cluster.signToken(claimsOf(await validToken()), { key: 'foreign' });
  await present('forged', forged, 401);
  const unknown = cluster.signToken(claimsOf(await validToken()), { key: 'foreign', header: { kid: 'unknown' } });
  await present('of an unknown key', unknown, 401);
  await present('of a deleted Pod', await deletedPodsToken(), 401);
  await present('expired', cluster.signToken({ ...claimsOf(await validToken()), exp: 1_700_000_000 }), 401);
  await present('for another audience', await web.token({ audiences: 'billing' }), 401);
  await present('refused by a guard', await validToken(), 403, '/billing');
  await present('not canonical', `${await validToken()}=`, 401);
  await present('too long', `${await validToken()}${'A'.repeat(9_000)}`, 401);
  await present('malformed', `${await validToken()}"`, 400);
  await present('several', `${await validToken()}, Bearer ${await validToken()}`, 400);

  const whileDown = await validToken();
  tokens.set('while reviews answer 404', whileDown);
  expect(await failing({ status: 404 }, whileDown)).toBe(503);
  const whileOverloaded = await validToken();
  tokens.set('while reviews answer 500', whileOverloaded);
  expect(await failing({ status: 500 }, whileOverloaded)).toBe(503);
  const whileHanging = await validToken();
  tokens.set('while reviews hang', whileHanging);
  expect(await failing({ hang: true }, whileHanging)).toBe(503);

  const abandoned = await validToken();
  tokens.set('of a client that hung up', abandoned);
  await hangUp(abandoned);
  await reviewsEnd();

  // Over the connection that is open now, which saw the credential before its rotation too.
  tokens.set('our own credential now', await service.rotateCredential());
  await service.told('advance', 59_000);
  await present('reviewed again in the background, or anew', cached, 200);
  await present('after the rotation', await validToken(), 200);
  await reviewsEnd();

  for (const _ of connections) expect(await status('/public', undefined)).toBe(200);
  expect(await found(tokens)).toEqual(['our own credential now']);

  // The same look finds what is kept on purpose, however it is kept.
  const onPurpose = new Map<string, string>();
  for (const way of (await service.told('ways')) as string[]) {
    const token = await validToken();
    onPurpose.set(way, token);
    expect(await status(`/kept/${way}`, `Bearer ${token}`)).toBe(200);
  }
  for (const _ of connections) await status('/public', undefined);
  expect(await found(onPurpose)).toEqual([...onPurpose.keys()]);
}, 30_000);
