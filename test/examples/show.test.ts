import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Show } from '../../examples/demo/show.ts';
import type { Stage } from '../../examples/demo/stage.ts';
import { Table } from '../../examples/demo/table.ts';

const server = createServer((_req, res) => {
  res.writeHead(200, { 'content-type': 'application/json' }).end('{"caller":"shop/web"}');
});
let stage: Stage;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stage = { url, cluster: {}, authenticator: { on: () => () => {} } } as unknown as Stage;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

const welcome = { status: '200', told: '', known: 'shop/web', reviews: 0 };

function showOn(lines: string[], signal: AbortSignal = new AbortController().signal): Show {
  return new Show(stage, new Table((line) => lines.push(line)), signal);
}

test('An outcome that is as expected is marked so, and the exit code is 0', async () => {
  const lines: string[] = [];
  const show = showOn(lines);
  await show.scene({ caller: 'web', path: '/', expect: welcome });
  expect(lines).toEqual([expect.stringMatching(/✓.* web .*GET \/ .*200 .*shop\/web$/)]);
  expect(show.summary).toBe('All 1 outcomes are as expected.');
  expect(show.exitCode).toBe(0);
});

test('An outcome that is off is marked and explained, and makes the exit code 1 whatever comes after it', async () => {
  const lines: string[] = [];
  const show = showOn(lines);
  await show.scene({ caller: 'intruder', path: '/', expect: { ...welcome, status: '401' } });
  await show.scene({ caller: 'web', path: '/', expect: welcome });
  expect(lines).toEqual([
    expect.stringMatching(/✗.* intruder /),
    expect.stringContaining('status: expected "401", got "200"'),
    expect.stringMatching(/✓.* web /),
  ]);
  expect(show.summary).toBe('1 of 2 outcomes are not as expected.');
  expect(show.exitCode).toBe(1);
});

test('An interruption ends the show before its next scene', async () => {
  const lines: string[] = [];
  const show = showOn(lines, AbortSignal.abort(new Error('Interrupted')));
  await expect(show.scene({ caller: 'web', path: '/', expect: welcome })).rejects.toThrow('Interrupted');
  expect(lines).toEqual([]);
});
