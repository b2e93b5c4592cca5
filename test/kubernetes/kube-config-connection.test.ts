import { Agent } from 'node:https';
import { expect, test } from '@jest/globals';
import type { LogEntry } from '../../src/authentication/log.ts';
import type { KubeConfigCluster, KubeConfigLike } from '../../src/kubernetes/kube-config.ts';
import { kubeConfigConnection } from '../../src/kubernetes/kube-config-connection.ts';
import { caught, thrown } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { podToken } from '../support/tokens.ts';

const none = (): void => {};
const kubeConfig = (
  cluster: KubeConfigCluster | null,
  applyToHTTPSOptions: KubeConfigLike['applyToHTTPSOptions'] = none,
): KubeConfigLike => ({ getCurrentCluster: () => cluster, applyToHTTPSOptions });

test('the server is that of the current context', () => {
  expect(kubeConfigConnection(kubeConfig({ server: 'https://10.0.0.1:6443' }), none).server.href).toBe(
    'https://10.0.0.1:6443/',
  );
});

test.each([[null], [{ server: '' }], [{ server: 'no URL' }], [{ server: undefined as unknown as string }]])(
  'a current context of %j is configuration_invalid, and says what to run',
  (cluster) => {
    const error = thrown(() => kubeConfigConnection(kubeConfig(cluster), none));
    expect(error).toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringContaining('kubectl config get-contexts'),
    });
  },
);

test.each(['http://localhost:8080', 'ws://localhost:8080'])('%s is refused, as a review carries a token', (server) => {
  const error = thrown(() => kubeConfigConnection(kubeConfig({ server }), none));
  expect(error).toMatchObject({ code: 'configuration_invalid', message: expect.stringContaining(server) });
});

test('an unverified server is a warning, and a verified one is none', () => {
  const logged: LogEntry[] = [];
  const log = (entry: LogEntry): void => void logged.push(entry);
  kubeConfigConnection(kubeConfig({ server: 'https://a', skipTLSVerify: false }), log);
  expect(logged).toEqual([]);
  kubeConfigConnection(kubeConfig({ server: 'https://a', skipTLSVerify: true }), log);
  expect(logged).toEqual([
    { level: 'warn', code: 'tls_unverified', message: expect.stringContaining('insecure-skip-tls-verify') },
  ]);
});

test('each call asks the kubeconfig for its options anew', async () => {
  let count = 0;
  const connection = kubeConfigConnection(
    kubeConfig({ server: 'https://a' }, (options) => {
      count += 1;
      Object.assign(options, { ca: 'CA', headers: { Authorization: `Bearer ${count}` } });
    }),
    none,
  );
  expect(await connection.requestOptions()).toEqual({ ca: 'CA', headers: { Authorization: 'Bearer 1' } });
  expect(await connection.requestOptions()).toEqual({ ca: 'CA', headers: { Authorization: 'Bearer 2' } });
});

test.each([
  ['dropped where it only opens connections', undefined, false],
  ['kept where it is a proxy', 'http://proxy:3128', true],
])("the kubeconfig's own agent is %s", async (_, proxyUrl, kept) => {
  const agent = new Agent();
  const cluster = { server: 'https://a', ...(proxyUrl !== undefined && { proxyUrl }) };
  const connection = kubeConfigConnection(
    kubeConfig(cluster, (options) => {
      options.agent = agent;
    }),
    none,
  );
  expect('agent' in (await connection.requestOptions())).toBe(kept);
});

test.each<[string, unknown, string]>([
  ['an Error', new Error('exec: aws: not found'), 'exec: aws: not found'],
  ['a text that quotes a token', new Error(`exec printed\n${podToken(new FakeClock())}`), 'exec printed [token]'],
  ['a string', 'no', 'no reason given'],
])(
  'a credential plugin that fails with %s is credential_unreadable, in words fit for the log',
  async (_, error, words) => {
    for (const fails of [
      () => Promise.reject(error),
      () => {
        throw error as Error;
      },
    ]) {
      const connection = kubeConfigConnection(kubeConfig({ server: 'https://a' }, fails), none);
      expect(await caught(connection.requestOptions())).toMatchObject({
        code: 'credential_unreadable',
        message: `The kubeconfig's credential cannot be had: ${words}`,
      });
    }
  },
);
