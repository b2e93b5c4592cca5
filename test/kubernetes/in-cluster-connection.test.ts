import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { LogEntry } from '../../src/authentication/log.ts';
import { inClusterConnection, isInCluster } from '../../src/kubernetes/in-cluster-connection.ts';
import { caught, thrown } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'in-cluster-'));
});
afterAll(() => rm(directory, { recursive: true }));

const clock = new FakeClock();
const none = (): void => {};

test.each([
  [{}, false],
  [{ KUBERNETES_SERVICE_HOST: '' }, false],
  [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, true],
  [{ KUBERNETES_SERVICE_PORT: '443' }, true],
  [{ KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }, true],
])('with the environment %j, being in a cluster is %p', (env, inCluster) => {
  expect(isInCluster(env)).toBe(inCluster);
});

test.each([
  ['10.96.0.1', '443', 'https://10.96.0.1'],
  ['10.96.0.1', '6443', 'https://10.96.0.1:6443'],
  ['kubernetes.default.svc', '443', 'https://kubernetes.default.svc'],
  ['fd00:10:96::1', '443', 'https://[fd00:10:96::1]'],
  ['::1', '6443', 'https://[::1]:6443'],
])('host %s and port %s are %s', (host, port, origin) => {
  const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port };
  expect(inClusterConnection(env, clock, none).server.origin).toBe(origin);
});

test.each([
  [undefined, '443'],
  ['', '443'],
  ['10.96.0.1', undefined],
  ['10.96.0.1', ''],
  ['10.96.0.1', 'tcp://10.96.0.1:443'],
  ['10.96.0.1', '65536'],
  ['not a host', '443'],
  [':::', '443'],
])('host %j and port %j are configuration_invalid, and the message names both', (host, port) => {
  const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port };
  const error = thrown(() => inClusterConnection(env, clock, none));
  expect(error).toMatchObject({ code: 'configuration_invalid' });
  expect(String(error)).toContain('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT');
  expect(String(error)).toContain(`${JSON.stringify(host)} and ${JSON.stringify(port)}`);
});

describe('the credential', () => {
  const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

  test('is in the well-known directory of a Pod', async () => {
    expect(await caught(inClusterConnection(env, clock, none).requestOptions())).toMatchObject({
      code: 'credential_unreadable',
      message: expect.stringContaining('/var/run/secrets/kubernetes.io/serviceaccount/'),
    });
  });

  test('is read with the CA, each again as it rotates, and outlives a moment in which it cannot be read', async () => {
    const logged: LogEntry[] = [];
    await writeFile(join(directory, 'token'), 'first\n');
    await writeFile(join(directory, 'ca.crt'), 'CA 1\n');
    const connection = inClusterConnection(env, clock, (entry) => logged.push(entry), directory);
    expect(await connection.requestOptions()).toEqual({ ca: 'CA 1', headers: { authorization: 'Bearer first' } });
    await writeFile(join(directory, 'token'), 'second');
    await writeFile(join(directory, 'ca.crt'), 'CA 2');
    clock.advance(10_000);
    expect(await connection.requestOptions()).toEqual({ ca: 'CA 2', headers: { authorization: 'Bearer second' } });
    await rm(join(directory, 'token'));
    clock.advance(10_000);
    expect(await connection.requestOptions()).toEqual({ ca: 'CA 2', headers: { authorization: 'Bearer second' } });
    expect(logged.map(({ code }) => code)).toEqual(['credential_stale']);
  });

  test('tells when its token was last read, whenever the CA was', async () => {
    await writeFile(join(directory, 'token'), 'first');
    await writeFile(join(directory, 'ca.crt'), 'CA 1');
    const connection = inClusterConnection(env, clock, none, directory);
    expect(connection.credentialReadAt?.()).toBeUndefined();
    await connection.requestOptions();
    const first = clock.now();
    expect(connection.credentialReadAt?.()).toBe(first);
    await rm(join(directory, 'token'));
    clock.advance(10_000);
    await connection.requestOptions();
    expect(connection.credentialReadAt?.()).toBe(first);
  });

  test('is read anew, with the CA, as soon as it is known to be stale', async () => {
    await writeFile(join(directory, 'token'), 'first');
    await writeFile(join(directory, 'ca.crt'), 'CA 1');
    const connection = inClusterConnection(env, clock, none, directory);
    await connection.requestOptions();
    await writeFile(join(directory, 'token'), 'second');
    await writeFile(join(directory, 'ca.crt'), 'CA 2');
    expect(await connection.requestOptions()).toEqual({ ca: 'CA 1', headers: { authorization: 'Bearer first' } });
    connection.renew?.();
    expect(await connection.requestOptions()).toEqual({ ca: 'CA 2', headers: { authorization: 'Bearer second' } });
  });
});
