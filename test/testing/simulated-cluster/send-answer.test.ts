import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { type Muzzle, sendAnswer } from '../../../src/testing/simulated-cluster/send-answer.ts';
import type { StreamSink } from '../../../src/testing/simulated-cluster/watch.ts';

const closes: (() => void)[] = [];
afterEach(() => {
  for (const close of closes.splice(0)) close();
});

class ScriptedMuzzle implements Muzzle {
  #isOn = false;
  readonly listeners = new Set<() => void>();

  isOn(): boolean {
    return this.#isOn;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  set(isOn: boolean): void {
    this.#isOn = isOn;
    for (const listener of this.listeners) listener();
  }
}

interface Streaming {
  readonly sink: StreamSink;
  readonly response: ServerResponse;
  readonly muzzle: ScriptedMuzzle;
  readonly received: IncomingMessage;
  readonly text: () => string;
  readonly counts: { resumed: number; stopped: number };
}

/** A stream over a real connection, whose both ends are at hand. */
async function streaming(muzzle = new ScriptedMuzzle()): Promise<Streaming> {
  const counts = { resumed: 0, stopped: 0 };
  const { promise, resolve } = Promise.withResolvers<[StreamSink, ServerResponse]>();
  const server = createServer((_request, response) => {
    const follow = (sink: StreamSink): { resume: () => void; stop: () => void } => {
      resolve([sink, response]);
      return { resume: () => void (counts.resumed += 1), stop: () => void (counts.stopped += 1) };
    };
    sendAnswer(response, { status: 200, contentType: 'text/plain', body: 'begin ', stream: { follow } }, muzzle);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closes.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const sent = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false });
  const [received] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  received.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  received.on('error', () => undefined);
  const [sink, response] = await promise;
  return { sink, response, muzzle, received, text: () => text, counts };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

test('a stream goes on after its beginning, until it ends', async () => {
  const { sink, received, text, counts } = await streaming();
  expect(sink.isReady()).toBe(true);
  sink.write('middle ');
  await until(() => text() === 'begin middle ');
  sink.end();
  await once(received, 'end');

  expect(text()).toBe('begin middle ');
  await until(() => counts.stopped === 1);
});

test('what comes after the end is dropped', async () => {
  const { sink, received, text } = await streaming();
  sink.end();
  sink.write('late');
  sink.end();
  expect(sink.isReady()).toBe(false);
  await once(received, 'end');
  expect(text()).toBe('begin ');
});

test('a reader that does not read makes the stream wait, and is told once it can go on', async () => {
  const { sink, received, text, counts } = await streaming();
  received.pause();
  const chunk = 'x'.repeat(64 * 1024);
  let size = 0;
  // It is full when it is still not ready long after the last piece.
  for (let turns = 0; turns < 100; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!sink.isReady()) continue;
    sink.write(chunk);
    size += chunk.length;
    turns = 0;
  }
  const resumed = counts.resumed;
  sink.write('last');
  received.resume();
  await until(() => text().endsWith('last'));

  expect(text().length).toBe('begin '.length + size + 'last'.length);
  expect(counts.resumed).toBeGreaterThan(resumed);
  expect(sink.isReady()).toBe(true);
});

test('under a muzzle nothing is sent, the end included, and all of it once it is taken off', async () => {
  const muzzle = new ScriptedMuzzle();
  muzzle.set(true);
  const { sink, received, text, counts } = await streaming(muzzle);
  expect(sink.isReady()).toBe(false);
  sink.write('middle ');
  sink.end();
  muzzle.set(true);
  expect(counts.resumed).toBe(0);
  expect(text()).toBe('');
  muzzle.set(false);
  await once(received, 'end');

  expect(text()).toBe('begin middle ');
});

test('a stream is told when its muzzle is taken off, and stopped when its reader goes', async () => {
  const { muzzle, received, counts } = await streaming();
  muzzle.set(false);
  expect(counts.resumed).toBe(1);
  received.destroy();
  await until(() => counts.stopped === 1);
  expect(muzzle.listeners.size).toBe(0);
});
