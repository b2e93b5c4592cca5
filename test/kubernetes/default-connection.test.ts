import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { caught } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';

let home: string;
jest.unstable_mockModule('node:os', () => ({ ...os, homedir: () => home }));
const { defaultConnection } = await import('../../src/kubernetes/default-connection.ts');

const clock = new FakeClock();
const none = (): void => {};
const kubeconfig = (server: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
    clusters: [{ name: 'here', cluster: { server } }],
    users: [{ name: 'me', user: { token: 'mine' } }],
  });

beforeAll(async () => {
  home = await mkdtemp(join(os.tmpdir(), 'home-'));
});
afterAll(() => rm(home, { recursive: true }));
afterEach(() => {
  delete process.env['KUBECONFIG'];
});

/** What client-node reads is this process's environment. */
function environment(kubeConfig: string): { KUBECONFIG: string } {
  process.env['KUBECONFIG'] = kubeConfig;
  return { KUBECONFIG: kubeConfig };
}

test('in a Pod it is its own cluster, even if there is a kubeconfig', async () => {
  const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443', KUBECONFIG: '/nowhere' };
  expect((await defaultConnection(env, clock, none)).server.origin).toBe('https://10.96.0.1');
});

test('half the environment of a Pod is an error, not a reason to ask somebody else', async () => {
  const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBECONFIG: '/nowhere' };
  expect(await caught(defaultConnection(env, clock, none))).toMatchObject({ code: 'configuration_invalid' });
});

test.each([[{}], [{ KUBECONFIG: '' }]])('without any configuration (%j) it says what to set', async (env) => {
  const error = await caught(defaultConnection(env, clock, none));
  expect(error).toMatchObject({ code: 'configuration_invalid' });
  for (const hint of ['KUBERNETES_SERVICE_HOST', 'KUBECONFIG', join(home, '.kube', 'config'), '`kubeConfig`']) {
    expect(String(error)).toContain(hint);
  }
  expect(String(error)).not.toContain('undefined');
});

describe('with a kubeconfig', () => {
  test('it is the server of the file that KUBECONFIG names, with its credential', async () => {
    const path = join(home, 'named');
    await writeFile(path, kubeconfig('https://named:6443'));
    const connection = await defaultConnection(environment(path), clock, none);
    expect(connection.server.href).toBe('https://named:6443/');
    expect((await connection.requestOptions()).headers).toMatchObject({ Authorization: 'Bearer mine' });
  });

  test('a file that does not exist is an error that names it', async () => {
    const error = await caught(defaultConnection(environment('/nowhere/config'), clock, none));
    expect(error).toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringMatching(/^The kubeconfig cannot be read: .*\/nowhere\/config/),
    });
  });

  test('a file that is no kubeconfig is an error', async () => {
    const path = join(home, 'broken');
    await writeFile(path, '{{{');
    expect(await caught(defaultConnection(environment(path), clock, none))).toMatchObject({
      code: 'configuration_invalid',
    });
  });

  test('a file without a current context is an error, not http://localhost:8080', async () => {
    const path = join(home, 'empty');
    await writeFile(path, JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters: [], contexts: [], users: [] }));
    expect(await caught(defaultConnection(environment(path), clock, none))).toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringContaining('kubectl config get-contexts'),
    });
  });

  test('a server without TLS is an error', async () => {
    const path = join(home, 'plain');
    await writeFile(path, kubeconfig('http://localhost:8080'));
    expect(await caught(defaultConnection(environment(path), clock, none))).toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringContaining('http://localhost:8080'),
    });
  });

  test('it is ~/.kube/config where KUBECONFIG is not set', async () => {
    await mkdir(join(home, '.kube'));
    await writeFile(join(home, '.kube', 'config'), kubeconfig('https://at-home:6443'));
    process.env['HOME'] = home;
    expect((await defaultConnection({}, clock, none)).server.href).toBe('https://at-home:6443/');
  });
});
