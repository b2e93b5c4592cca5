import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/authentication/clock.ts';
import { podToken } from '../support/tokens.ts';
import { leaks } from './support/leaks.ts';

const service = fileURLToPath(new URL('support/service.ts', import.meta.url));
const tokenThat = (verdict: string): string => podToken(systemClock, { verdict });

async function start(
  nodeEnv: string,
): Promise<{ url: string; stderr: Promise<string>; process: ChildProcessWithoutNullStreams }> {
  const child = spawn(process.execPath, [service], {
    env: { ...process.env, NODE_ENV: nodeEnv, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
  });
  const stderr = text(child.stderr);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: String(line).trim(), stderr, process: child };
}

test.each([
  ['development', 'ServiceAccountAuthError: The bearer token is not accepted', 4],
  ['production', 'Unauthorized', 4],
  ['test', 'ServiceAccountAuthError: The bearer token is not accepted', 0],
])(
  'under NODE_ENV=%s neither the caller nor stderr gets a token, a stack or a file, and nothing is left unhandled',
  async (nodeEnv, phrase, printed) => {
    const { url, stderr, process: child } = await start(nodeEnv);
    const tokens = {
      good: tokenThat('good'),
      refused: tokenThat('refused'),
      broken: tokenThat('broken'),
      held: tokenThat('held'),
    };
    const bodies: string[] = [];
    const get = async (path: string, token: string): Promise<number> => {
      const answer = await fetch(`${url}${path}`, { headers: { Authorization: `Bearer ${token}` } });
      bodies.push(await answer.text(), JSON.stringify([...answer.headers]));
      return answer.status;
    };

    // A client that is gone before the review ends.
    const { port, hostname } = new URL(url);
    const client = connect(Number(port), hostname);
    client.write(`GET /orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${tokens.held}\r\n\r\n`);
    const waiting = async (): Promise<unknown> => (await fetch(`${url}/waiting`)).json();
    while ((await waiting()) !== 1);
    client.destroy();
    await once(client, 'close');
    await fetch(`${url}/release`, { method: 'POST' });
    while ((await waiting()) !== 0);

    const statuses = [
      await get('/orders', tokens.good),
      await get('/orders', tokens.refused),
      await get('/orders', tokens.broken),
      await get('/billing', tokens.good),
      await get('/unguarded', tokens.good),
    ];
    child.stdin.end();
    const [exitCode] = (await once(child, 'exit')) as [number];
    const complaints = await stderr;

    expect(statuses).toEqual([200, 401, 503, 403, 500]);
    expect(exitCode).toBe(0);
    expect(bodies[2]).toContain(`<pre>${phrase}</pre>`);
    const secrets = [...Object.values(tokens), 'words-of-the-api-server', 'cannot judge'];
    expect(leaks(bodies.join('\n'), secrets)).toEqual([]);
    // The log alone may say how the reviewer failed; its words are scrubbed of the token.
    const [logged, rest] = [/^\{"time".*$/gm, /^(?!\{"time").*$/gm].map(
      (lines) => complaints.match(lines)?.join('\n') ?? '',
    );
    expect(leaks(logged ?? '', Object.values(tokens))).toEqual([]);
    expect(logged).toContain('"code":"reviewer_failed"');
    expect(leaks(rest ?? '', secrets)).toEqual([]);
    expect(rest?.match(/^ServiceAccountAuthError: |^\[?ServiceAccountAuthError/gm) ?? []).toHaveLength(printed);
  },
);
