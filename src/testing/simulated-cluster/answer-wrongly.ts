import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiAnswer, ApiServer } from './api-server.ts';
import type { AnswerFault, Forwarding } from './faults.ts';
import { sendAnswer, statusAnswer, writeHead } from './send-answer.ts';
import { StatusError } from './status.ts';

/** Lets a fault have its way with an answer. `lifted` aborts when the fault is lifted, `reset` resets the connection. */
export async function answerWrongly(
  fault: AnswerFault | Forwarding,
  lifted: AbortSignal,
  answer: () => ApiAnswer,
  response: ServerResponse,
  reset: () => void,
  send: (by?: Pick<ApiServer, 'answer'>) => void,
): Promise<void> {
  if ('hang' in fault) {
    await liftedOrGone(lifted, response);
    response.destroy();
  } else if ('status' in fault) {
    sendAnswer(response, failure(fault));
  } else if ('redirect' in fault) {
    sendAnswer(response, { status: 307, contentType: 'text/plain', headers: { location: fault.redirect }, body: '' });
  } else if ('reset' in fault) {
    if (fault.reset === 'mid-answer') {
      await sendHalf(response, answer());
      await sleep(20); // a reset takes away what the caller has not read yet
    }
    reset();
  } else if ('halfBody' in fault) {
    await sendHalf(response, answer());
    response.socket?.end();
  } else if ('body' in fault) {
    const { status } = answer();
    response.writeHead(status, { 'content-type': fault.contentType ?? 'application/json' }).end(fault.body);
  } else if ('delayMs' in fault) {
    await sleep(fault.delayMs, undefined, { ref: false });
    send();
  } else if ('answeredBy' in fault) {
    send(fault.answeredBy);
  } else {
    await drip(response, answer(), fault.drip);
  }
}

function liftedOrGone(lifted: AbortSignal, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (lifted.aborted || response.destroyed) resolve();
    lifted.addEventListener('abort', () => resolve(), { once: true });
    response.once('close', resolve);
  });
}

function failure({ status, body, headers }: Extract<AnswerFault, { status: number }>): ApiAnswer {
  const standard = statusAnswer(
    new StatusError(status, 'Unknown', `The simulated cluster was told to answer ${status}`),
  );
  if (body === undefined) return { ...standard, ...(headers && { headers }) };
  return {
    status,
    contentType: typeof body === 'string' ? 'text/plain' : 'application/json',
    ...(headers && { headers }),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

async function drip(
  response: ServerResponse,
  answer: ApiAnswer,
  { bytes, everyMs }: { readonly bytes: number; readonly everyMs: number },
): Promise<void> {
  writeHead(response, answer);
  response.flushHeaders();
  const all = Buffer.from(answer.body);
  for (let sent = 0; sent < all.length && !response.destroyed; sent += bytes) {
    await sleep(everyMs, undefined, { ref: false });
    response.write(all.subarray(sent, sent + bytes));
  }
  response.end();
}

function sendHalf(response: ServerResponse, answer: ApiAnswer): Promise<void> {
  writeHead(response, answer);
  const half = answer.body.slice(0, Math.ceil(answer.body.length / 2));
  return new Promise((resolve) => response.write(half, () => resolve()));
}
