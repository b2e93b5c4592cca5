import { describe, expect, test } from '@jest/globals';
import { run, runExample } from './run.ts';

/** Of the table: the mark, and the columns, which two spaces or more separate. */
function rowsOf(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => /^[✓✗]/.test(line))
    .map((line) => line.replace(/ {2,}/g, ' | '));
}

describe('npm run demo', () => {
  test('shows each outcome, all of them as expected, and exits with 0', async () => {
    const demo = run('npm', ['run', '--silent', 'demo']);
    expect([await demo.ended, demo.stderr()]).toEqual([0, '']);
    const shown = rowsOf(demo.stdout());
    for (const row of [
      '✓ Pod web-1 in shop | GET /orders/7 | 200 | 1 | shop/web, Pod web-1',
      '✓ | again: from the cache | GET /orders/8 | 200 | 0 | shop/web, Pod web-1',
      '✓ | after its token file rotated | GET /orders/9 | 200 | 1 | shop/web, Pod web-1',
      '✓ Pod web-2, a hundred at once | 100 × GET /orders/7 | 100 × 200 | 1 | shop/web, Pod web-2',
      '✓ Pod of another namespace | GET /orders/7 | 403 | insufficient_scope | 1 | billing/report, but',
      '✓ Token of shop/web without a Pod | GET /orders/7 | 403 | insufficient_scope | 1 | shop/web, but',
      '✓ Token for another service | GET /orders/7 | 401 | invalid_token | 0 | wrong_audience: its audiences are ["billing"]',
      '✓ Expired token | GET /orders/7 | 401 | invalid_token | 0 | token_expired: ',
      '✓ Forged: signed by another key | GET /orders/7 | 401 | invalid_token | 0 | token_forged: ',
      '✓ No token | GET /orders/7 | 401 | bare challenge | 0 | no_credentials: ',
      '✓ Malformed header | GET /orders/7 | 400 | invalid_request | 0 | malformed_credentials: ',
      '✓ Pod web-3, not seen before | GET /orders/7 | 503 | Retry-After: 1 | 1 | api_server_unreachable: ',
      '✓ | once the API server is back | GET /orders/7 | 200 | 1 | shop/web, Pod web-3',
      '✓ Pod web-2, just deleted: cached | GET /orders/7 | 200 | 0 | shop/web, Pod web-2',
      '✓ | a minute later | GET /orders/7 | 401 | invalid_token | 1 | token_refused: ',
    ]) {
      expect(shown).toContainEqual(expect.stringContaining(row));
    }
    expect(demo.stdout()).toMatch(/^open +GET +\/healthz +anyone$/m);
    expect(demo.stdout()).toMatch(/^ +GET +\/orders\/:id +ServiceAccounts +namespace shop\S*; a Pod-bound token$/m);
    expect(demo.stdout()).toContain(`All ${shown.length} outcomes are as expected.`);
  }, 60_000);

  test('prints plain text where it does not write to a terminal', async () => {
    const demo = runExample('demo/main.ts', [], { env: { FORCE_COLOR: undefined, NO_COLOR: undefined } });
    await demo.ended;
    // oxlint-disable-next-line no-control-regex
    expect(demo.stdout()).not.toMatch(/\u001b/);
  }, 60_000);

  test('with --serve goes on, with curl lines that do what they say, until it is interrupted', async () => {
    const demo = runExample('demo/main.ts', ['--serve']);
    await demo.until(/Ctrl-C ends it\. /);
    const announced = [...demo.stdout().matchAll(/^# (.*)\n((?:curl .*\n)+)/gm)].flatMap(
      ([, comment = '', lines = '']) => {
        const statuses = comment.match(/\b\d{3}\b/g) ?? ['200'];
        return lines
          .trim()
          .split('\n')
          .map((line, index) => ({ line, status: Number(statuses[index]) }));
      },
    );
    expect(announced.map(({ status }) => status)).toEqual([200, 403, 401, 401, 200, 200]);
    for (const { line, status } of announced) {
      const [, authorization, url = ''] = /^curl -i (?:-H 'Authorization: ([^']+)' )?(\S+)$/.exec(line) ?? [];
      const response = await fetch(url, { headers: authorization === undefined ? {} : { authorization } });
      expect([line, response.status]).toEqual([line, status]);
    }
    expect(demo.stdout()).toMatch(/^refused +system:serviceaccount:shop:web: wants a Pod-bound token$/m);
    demo.process.kill('SIGINT');
    expect(await demo.ended).toBe(0);
  }, 60_000);

  test('--help says what can be done', async () => {
    const demo = runExample('demo/main.ts', ['--help']);
    expect(await demo.ended).toBe(0);
    expect(demo.stdout()).toContain('--kubeconfig FILE');
  });

  test.each([
    [['--verbose'], "Unknown option '--verbose'"],
    [['--kubeconfig'], "Option '--kubeconfig <value>' argument missing"],
    [['cluster'], "Unexpected argument 'cluster'"],
  ])('refuses the arguments %j with exit code 2', async (args, message) => {
    const demo = runExample('demo/main.ts', args);
    expect(await demo.ended).toBe(2);
    expect(demo.stdout()).toBe('');
    expect(demo.stderr()).toContain(message);
  });

  test('names a kubeconfig that cannot be read, with exit code 1', async () => {
    const demo = runExample('demo/main.ts', ['--kubeconfig', 'no-such-file']);
    expect(await demo.ended).toBe(1);
    expect(demo.stderr()).toMatch(/^The kubeconfig cannot be read: .*no-such-file/);
  });
});
