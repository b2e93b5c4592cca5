import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { LogEntry } from '../../src/authentication/log.ts';
import { garbage, hang, reset } from './flaky-network.ts';
import { type Answer, deadlineMs, setStage, type Stage, validCaller } from './stage.ts';

/** What a machine that has other things to do may add to a wait. */
const toleranceMs = 1_000;
/** The circuit's first pause is a second and a half at most, its second one four, and a try may take the deadline. */
const longestRecoveryMs = 12_000;

type Lift = () => void | Promise<void>;

interface FaultCase {
  readonly name: string;
  /** Makes it go wrong; returns what makes it go right again. */
  readonly happen: (stage: Stage) => Lift | Promise<Lift>;
  /** What a valid caller gets that the service does not know yet. Default: 503. */
  readonly newCallers?: 200 | 503;
  /** What the log may say, and no other. */
  readonly log: readonly LogEntry['code'][];
  /** What it must say. Default: the first of what it may. */
  readonly reason?: RegExp;
  /** Whether it is so from the start, before the service has seen anyone or any key. Default: later. */
  readonly fromTheStart?: boolean;
  /** Whether what is forged is known to be while it lasts. Default: as long as there are keys. */
  readonly forged?: 401 | 503;
}

type ClusterFault = Parameters<Stage['cluster']['fault']>[1];

function fault(kind: 'tokenreviews' | 'jwks', what: ClusterFault, times?: number): FaultCase['happen'] {
  return ({ cluster }) => {
    const active = cluster.fault(kind, what, times === undefined ? {} : { times });
    return () => active[Symbol.dispose]();
  };
}

const reasons = {
  api_server_timeout: /No answer within 1000 ms/,
  api_server_unreachable: /cannot be reached: .+/,
  api_server_overloaded: /in trouble: HTTP \d+/,
};

/** Whoever meets the open circuit is told `api_server_down`, with the reason of the outage. */
const outage = (code: keyof typeof reasons): Pick<FaultCase, 'log' | 'reason'> => ({
  log: [code, 'api_server_down'],
  reason: reasons[code],
});
const status = (code: number, headers: Record<string, string> = {}): FaultCase['happen'] =>
  fault('tokenreviews', { status: code, headers });

const file = (stage: Stage, name: 'token' | 'ca.crt'): string => join(stage.directory, name);

const cases: readonly FaultCase[] = [
  { name: 'reviews hang', happen: fault('tokenreviews', { hang: true }), ...outage('api_server_timeout') },
  {
    name: 'answers drip, a byte every 20 ms',
    happen: fault('tokenreviews', { drip: { bytes: 1, everyMs: 20 } }),
    ...outage('api_server_timeout'),
  },
  {
    name: 'answers take a second longer than the deadline',
    happen: fault('tokenreviews', { delayMs: deadlineMs + 1_000 }),
    ...outage('api_server_timeout'),
  },
  {
    name: 'reset before the answer',
    happen: fault('tokenreviews', { reset: 'before' }),
    ...outage('api_server_unreachable'),
  },
  {
    name: 'reset in the middle of the answer',
    happen: fault('tokenreviews', { reset: 'mid-answer' }),
    ...outage('api_server_unreachable'),
  },
  {
    name: 'half an answer that ends properly',
    happen: fault('tokenreviews', { halfBody: true }),
    ...outage('api_server_unreachable'),
  },
  {
    name: 'reset before the answer, once',
    happen: fault('tokenreviews', { reset: 'before' }, 1),
    newCallers: 200,
    log: [],
  },
  {
    name: 'garbage for an answer',
    happen: fault('tokenreviews', { body: Buffer.from([0, 255, 1, 254]) }),
    log: ['answer_invalid'],
  },
  {
    name: 'HTML for an answer',
    happen: fault('tokenreviews', { body: '<html><body>OK</body></html>', contentType: 'text/html' }),
    log: ['answer_invalid'],
  },
  {
    name: 'JSON that is no TokenReview',
    happen: fault('tokenreviews', {
      body: '{"authenticated":true,"user":{"username":"system:serviceaccount:shop:web"}}',
    }),
    log: ['answer_invalid'],
  },
  {
    name: 'a verdict without a username',
    happen: fault('tokenreviews', { body: '{"status":{"authenticated":true,"audiences":["orders"]}}' }),
    log: ['answer_invalid'],
  },
  {
    name: '10 MB for an answer',
    happen: fault('tokenreviews', { body: Buffer.alloc(10 * 1024 * 1024, ' ') }),
    log: ['answer_invalid'],
  },
  {
    name: 'a redirect',
    happen: (stage) => fault('tokenreviews', { redirect: `${stage.cluster.server}/elsewhere` })(stage),
    log: ['api_server_error'],
  },
  { name: 'HTTP 401', happen: status(401), log: ['reviewer_unauthenticated'] },
  { name: 'HTTP 403', happen: status(403), log: ['reviewer_forbidden'] },
  { name: 'HTTP 404', happen: status(404), log: ['api_server_error'] },
  { name: 'HTTP 429', happen: status(429), ...outage('api_server_overloaded') },
  {
    name: 'HTTP 429, Retry-After: 30',
    happen: status(429, { 'retry-after': '30' }),
    ...outage('api_server_overloaded'),
  },
  {
    name: 'HTTP 429, once',
    happen: fault('tokenreviews', { status: 429 }, 1),
    newCallers: 200,
    log: [],
  },
  { name: 'HTTP 500', happen: status(500), ...outage('api_server_overloaded') },
  { name: 'HTTP 502', happen: status(502), ...outage('api_server_overloaded') },
  { name: 'HTTP 503', happen: status(503), ...outage('api_server_overloaded') },
  { name: 'HTTP 504', happen: status(504), ...outage('api_server_overloaded') },
  {
    name: 'connections refused, then the server is back on its port',
    happen: async ({ network }) => {
      await network.stop();
      return () => network.start();
    },
    ...outage('api_server_unreachable'),
  },
  {
    name: 'the server restarts in between, on its port',
    happen: async ({ network }) => {
      await network.stop();
      await network.start();
      return () => {};
    },
    newCallers: 200,
    log: [],
  },
  {
    name: 'connections reset at once',
    happen: ({ network }) => {
      network.become(reset);
      return () => network.become();
    },
    ...outage('api_server_unreachable'),
  },
  {
    name: 'connections taken, and nothing more',
    happen: ({ network }) => {
      network.become(hang);
      return () => network.become();
    },
    ...outage('api_server_timeout'),
  },
  {
    name: 'something else than TLS',
    happen: ({ network }) => {
      network.become(garbage);
      return () => network.become();
    },
    ...outage('api_server_unreachable'),
  },
  {
    name: 'TLS with a certificate of another authority',
    happen: async ({ network }) => (await network.changeCertificate()).restore,
    ...outage('api_server_unreachable'),
  },
  {
    name: 'certificate and CA file rotated',
    happen: async (stage) => {
      const { ca, restore } = await stage.network.changeCertificate();
      await writeFile(file(stage, 'ca.crt'), ca);
      return async () => {
        restore();
        await writeFile(file(stage, 'ca.crt'), stage.cluster.ca);
      };
    },
    newCallers: 200,
    log: [],
  },
  {
    name: 'nothing answers from the start',
    fromTheStart: true,
    happen: ({ network }) => {
      network.become(hang);
      return () => network.become();
    },
    forged: 503,
    log: ['api_server_timeout', 'api_server_down', 'keys_unavailable'],
    reason: reasons.api_server_timeout,
  },
  ...(
    [
      ['HTTP 403', { status: 403 }],
      ['HTTP 503', { status: 503 }],
      ['no answer', { hang: true }],
      ['garbage', { body: Buffer.from([0, 255, 1, 254]) }],
      ['HTML', { body: '<html></html>', contentType: 'text/html' }],
      ['10 MB', { body: Buffer.alloc(10 * 1024 * 1024, ' ') }],
    ] as const
  ).map(([name, what]): FaultCase => ({
    name: `keys from the start: ${name}`,
    fromTheStart: true,
    happen: fault('jwks', what),
    newCallers: 200,
    log: ['keys_unavailable'],
  })),
  {
    name: 'the credential is missing from the start',
    fromTheStart: true,
    happen: async (stage) => {
      await rm(file(stage, 'token'));
      const token = await stage.credential();
      return () => writeFile(file(stage, 'token'), token);
    },
    forged: 503,
    log: ['credential_unreadable'],
  },
  {
    name: 'the credential is empty from the start',
    fromTheStart: true,
    happen: async (stage) => {
      await writeFile(file(stage, 'token'), '');
      const token = await stage.credential();
      return () => writeFile(file(stage, 'token'), token);
    },
    forged: 503,
    log: ['credential_unreadable'],
  },
  {
    name: 'the credential goes missing',
    happen: async (stage) => {
      const token = await stage.credential();
      await rm(file(stage, 'token'));
      stage.cluster.clock.advance(10_000);
      return () => writeFile(file(stage, 'token'), token);
    },
    newCallers: 200,
    log: ['credential_stale'],
  },
  {
    name: 'the credential is emptied',
    happen: async (stage) => {
      const token = await stage.credential();
      await writeFile(file(stage, 'token'), '\n');
      stage.cluster.clock.advance(10_000);
      return () => writeFile(file(stage, 'token'), token);
    },
    newCallers: 200,
    log: ['credential_stale'],
  },
  {
    name: 'the credential was rotated, and the old one is refused',
    happen: async (stage) => {
      await writeFile(file(stage, 'token'), await stage.credential());
      return fault('tokenreviews', { status: 401 }, 1)(stage);
    },
    newCallers: 200,
    log: [],
  },
];

interface Row {
  readonly fault: string;
  readonly 'new callers': string;
  readonly 'known caller': string;
  readonly 'bad tokens': string;
  readonly 'longest wait': string;
  readonly TokenReviews: number;
  readonly 'recovered after': string;
}
const table: Row[] = [];
afterAll(() => {
  if (process.env['FAULT_TABLE']) console.table(table);
});

const statuses = (answers: readonly Answer[]): string =>
  [...new Set(answers.map((answer) => answer.status))].toSorted((a, b) => a - b).join(', ');

/** Everyone at once: three new valid callers, a known one, and those who must not get in. */
async function round(
  stage: Stage,
  known: string | undefined,
): Promise<{ fresh: Answer[]; familiar: Answer[]; forged: Answer; refused: Answer; hopeless: Answer[] }> {
  const { cluster } = stage;
  const fresh = await Promise.all([1, 2, 3].map(() => stage.validToken()));
  const [sample = ''] = fresh;
  const claims = JSON.parse(Buffer.from(sample.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  const refused = await stage.refusedToken();
  const sign = (changes: object, key?: 'foreign'): string =>
    cluster.signToken({ ...claims, ...changes }, key === undefined ? {} : { key });
  const hopeless = [
    sign({ exp: Math.floor(cluster.clock.now() / 1000) - 3_600 }),
    sign({ aud: ['billing'] }),
    'no-token-at-all',
    undefined,
  ];
  const [answers, familiar, forgedAnswer, refusedAnswer, others] = await Promise.all([
    Promise.all(fresh.map((token) => stage.call(token))),
    Promise.all(known === undefined ? [] : [stage.call(known)]),
    stage.call(sign({ jti: 'forged' }, 'foreign')),
    stage.call(refused),
    Promise.all(hopeless.map((token) => stage.call(token))),
  ]);
  return { fresh: answers, familiar, forged: forgedAnswer, refused: refusedAnswer, hopeless: others };
}

test.each(cases)(
  '$name',
  async ({ name, happen, newCallers = 503, log, reason, fromTheStart = false, forged }) => {
    await using stage = await setStage();
    const { cluster, authenticator } = stage;
    let known: string | undefined;
    let lift: Lift;
    if (fromTheStart) {
      lift = await happen(stage);
    } else {
      known = await stage.validToken();
      await authenticator.ready();
      expect(await stage.call(known)).toMatchObject({ status: 200, caller: validCaller });
      lift = await happen(stage);
    }

    const before = cluster.requests.tokenreviews;
    const rounds = [await round(stage, known), await round(stage, known)];
    const reviews = cluster.requests.tokenreviews - before;
    const fresh = rounds.flatMap((one) => one.fresh);
    const bad = rounds.flatMap((one) => [one.forged, one.refused, ...one.hopeless]);
    const all = [...fresh, ...rounds.flatMap((one) => one.familiar), ...bad];

    for (const answer of fresh) {
      expect(answer.status).toBe(newCallers);
      expect(answer.caller).toBe(newCallers === 200 ? validCaller : undefined);
      if (newCallers === 503) expect(Number(answer.retryAfter)).toBeGreaterThanOrEqual(1);
    }
    for (const one of rounds) {
      for (const answer of one.familiar) expect(answer).toMatchObject({ status: 200, caller: validCaller });
      expect(one.refused.status).toBe(newCallers === 200 ? 401 : 503);
      expect(one.forged.status).toBe(forged ?? 401);
      for (const answer of one.hopeless) expect(answer.status).toBe(401);
    }
    const longest = Math.max(...all.map(({ tookMs }) => tookMs));
    expect(longest).toBeLessThan(deadlineMs + toleranceMs);
    // Four reviews a round, of four tries each.
    expect(reviews).toBeLessThanOrEqual(2 * 4 * 4);
    const codes = new Set(stage.logged.map(({ code }) => code));
    expect([...codes].filter((code) => !log.includes(code))).toEqual([]);
    if (reason !== undefined) {
      for (const { message } of stage.logged) if (!message.includes('keys')) expect(message).toMatch(reason);
      expect(stage.logged).not.toEqual([]);
    } else if (log.length > 0) {
      expect(codes).toContain(log[0]);
    }

    await lift();
    const lifted = performance.now();
    for (let answer = await stage.call(await stage.validToken()); answer.status !== 200;) {
      expect(answer.status).toBe(503);
      expect(performance.now() - lifted).toBeLessThan(longestRecoveryMs);
      answer = await stage.call(await stage.validToken());
    }
    const recovery = performance.now() - lifted;
    const after = await round(stage, known);
    expect([...after.fresh, ...after.familiar].map(({ caller }) => caller)).toEqual(
      [...after.fresh, ...after.familiar].map(() => validCaller),
    );
    expect([after.forged, after.refused, ...after.hopeless].map((answer) => answer.status)).toEqual(
      Array.from({ length: 6 }, () => 401),
    );
    expect(authenticator.status()).toMatchObject({ circuit: 'closed', reviewsInFlight: 0 });

    table.push({
      fault: name,
      'new callers': statuses(fresh),
      'known caller': statuses(rounds.flatMap((one) => one.familiar)) || '-',
      'bad tokens': statuses(bad),
      'longest wait': `${Math.round(longest)} ms`,
      TokenReviews: reviews,
      'recovered after': `${Math.round(recovery)} ms`,
    });
  },
  30_000,
);
