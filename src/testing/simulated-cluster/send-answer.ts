import type { ServerResponse } from 'node:http';
import type { ApiAnswer } from './api-server.ts';
import type { StatusError } from './status.ts';
import type { Stream } from './watch.ts';

/** How a stream is kept from talking: by a fault, for instance. */
export interface Muzzle {
  isOn(): boolean;
  /** Calls back whenever it may have been taken off, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

const NO_MUZZLE: Muzzle = { isOn: () => false, onChange: () => () => undefined };

export function sendAnswer(response: ServerResponse, answer: ApiAnswer, muzzle: Muzzle = NO_MUZZLE): void {
  writeHead(response, answer);
  const { body, stream } = answer;
  if (!stream) {
    response.end(body);
    return;
  }
  response.flushHeaders();
  follow(response, body, stream, muzzle);
}

function follow(response: ServerResponse, beginning: string, stream: Stream, muzzle: Muzzle): void {
  let unsent = beginning;
  let isOver = false;
  /** Whether more can be taken now; what could not be sent waits until it can. */
  const flush = (): boolean => {
    if (response.writableEnded || muzzle.isOn() || response.writableNeedDrain) return false;
    const text = unsent;
    unsent = '';
    if (text !== '') response.write(text);
    if (isOver) response.end();
    return !isOver && !response.writableNeedDrain;
  };
  flush();
  const control = stream.follow({
    write: (text) => {
      if (!isOver) unsent += text;
      flush();
    },
    isReady: flush,
    end: () => {
      isOver = true;
      flush();
    },
  });
  const goOn = (): void => {
    if (flush()) control.resume();
  };
  response.on('drain', goOn);
  const stopListening = muzzle.onChange(goOn);
  response.once('close', () => {
    stopListening();
    control.stop();
  });
}

export function writeHead(response: ServerResponse, { status, contentType, headers, body, stream }: ApiAnswer): void {
  response.writeHead(status, {
    'cache-control': 'no-cache, private',
    'content-type': contentType,
    ...(!stream && { 'content-length': Buffer.byteLength(body) }),
    ...headers,
  });
}

export function statusAnswer({ status }: StatusError): ApiAnswer {
  return { status: status.code, contentType: 'application/json', body: JSON.stringify(status) };
}
