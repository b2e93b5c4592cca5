import { beforeEach, describe, expect, test } from '@jest/globals';
import { Unavailability } from '../../src/authentication/reviewer.ts';
import type { LogEntry } from '../../src/authentication/log.ts';
import type { AuthenticatorEvents } from '../../src/authentication/events.ts';
import type { ServiceAccountIdentity } from '../../src/authentication/service-account-identity.ts';
import { AccessDecisions, type DecisionLimits } from '../../src/authorization/access-decisions.ts';
import { type AccessQuestion, accessQuestion } from '../../src/authorization/access-question.ts';
import type { AccessReview } from '../../src/authorization/access-reviewer.ts';
import type { PermissionsSource } from '../../src/authorization/permissions-source.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { caught } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { settled } from '../support/settled.ts';

const web = fakeIdentity('shop/web', { pod: 'web-1' });
const batch = fakeIdentity('shop/batch');
const question = (name: string): AccessQuestion =>
  accessQuestion({ verb: 'get', group: 'orders.example.com', resource: 'orders', name }, 'test');
const one = question('one');
const allowance: AccessReview = { allowed: true, reason: 'RBAC: allowed' };
const denial: AccessReview = { allowed: false, reason: '' };

let clock: FakeClock;
let asked: { identity: ServiceAccountIdentity; name: unknown; waitedMs: number | undefined }[];
let answer: () => Promise<AccessReview>;
let logged: LogEntry[];
let reviewed: AuthenticatorEvents['accessReviewed'][];

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  answer = async () => allowance;
  logged = [];
  reviewed = [];
});

function decisionsWith(limits: Partial<DecisionLimits> = {}, permissions?: PermissionsSource): AccessDecisions {
  return new AccessDecisions({
    permissions,
    reviewer: {
      reviewAccess: (identity, attributes, waitedMs) => {
        asked.push({ identity, name: 'name' in attributes ? attributes.name : undefined, waitedMs });
        return answer();
      },
    },
    limits: { maxEntries: 100, maxAgeMs: 60_000, denialMaxAgeMs: 10_000, ...limits },
    clock,
    log: (entry) => logged.push(entry),
    onReviewed: (event) => reviewed.push(event),
  });
}

/** Lets every review wait until it is told its answer, the oldest first. */
function held(): ((review: AccessReview | Error) => void)[] {
  const answers: ((review: AccessReview | Error) => void)[] = [];
  answer = () =>
    new Promise((resolve, reject) => {
      answers.push((review) => (review instanceof Error ? reject(review) : resolve(review)));
    });
  return answers;
}

/** What is decided, sooner or later. */
const decided = async (decision: boolean | Promise<boolean>): Promise<boolean> => decision;

describe('a decision', () => {
  test.each([true, false])('that is %j is asked for once, and then known at once', async (allowed) => {
    const decisions = decisionsWith();
    answer = async () => ({ allowed, reason: '' });

    expect(await decisions.decide(web, one)).toBe(allowed);
    expect(decisions.decide(web, one)).toBe(allowed);
    expect(decisions.decide(web, question('one'))).toBe(allowed);
    expect(asked).toEqual([{ identity: web, name: 'one', waitedMs: 0 }]);
  });

  test('is of one caller and one question', async () => {
    const decisions = decisionsWith();
    await decisions.decide(web, one);
    answer = async () => denial;

    expect(await decisions.decide(batch, one)).toBe(false);
    expect(await decisions.decide(web, question('two'))).toBe(false);
    expect(decisions.decide(web, one)).toBe(true);
  });

  test('is not that of the same caller after its next TokenReview, which may have found other groups', async () => {
    const decisions = decisionsWith();
    await decisions.decide(web, one);
    answer = async () => denial;

    expect(await decisions.decide({ ...web, groups: [] }, one)).toBe(false);
  });

  test('lives 60 s where it allows, and 10 s where it denies, from when its review began', async () => {
    const decisions = decisionsWith();
    const answers = held();
    const both = Promise.all([decisions.decide(web, one), decisions.decide(batch, one)].map(decided));
    clock.advance(1_000);
    answers[0]?.(allowance);
    answers[1]?.(denial);
    expect(await both).toEqual([true, false]);

    clock.advance(8_999);
    expect(decisions.decide(batch, one)).toBe(false);
    clock.advance(1);
    expect(decisions.decide(batch, one)).toBeInstanceOf(Promise);
    clock.advance(49_999);
    expect(decisions.decide(web, one)).toBe(true);
    clock.advance(1);
    expect(decisions.decide(web, one)).toBeInstanceOf(Promise);
    answers[2]?.(denial);
    answers[3]?.(denial);
    await settled();
  });

  test('is not remembered with an age of 0', async () => {
    const decisions = decisionsWith({ maxAgeMs: 0, denialMaxAgeMs: 0 });
    await decisions.decide(web, one);
    await decisions.decide(web, one);

    expect(asked).toHaveLength(2);
    expect(decisions.size).toBe(0);
  });
});

describe('one review is in flight per question', () => {
  test('however many wait for it', async () => {
    const decisions = decisionsWith();
    const answers = held();
    const all = Promise.all(Array.from({ length: 100 }, () => decided(decisions.decide(web, one))));
    answers[0]?.(allowance);

    expect(await all).toEqual(Array.from({ length: 100 }, () => true));
    expect(asked).toHaveLength(1);
  });

  test('and thirty questions of one caller are asked at once, then looked up', async () => {
    const decisions = decisionsWith({ maxEntries: 1_000 });
    const answers = held();
    const questions = Array.from({ length: 30 }, (_, index) => question(`order-${index}`));
    const all = Promise.all(questions.map((each) => decided(decisions.decide(web, each))));
    expect(answers).toHaveLength(30);
    answers.forEach((give, index) => give(index % 2 === 0 ? allowance : denial));

    const answered = await all;
    expect(questions.map((each) => decisions.decide(web, each))).toEqual(answered);
    expect(answered).toEqual(questions.map((_, index) => index % 2 === 0));
    expect(asked).toHaveLength(30);
  });

  test('and a caller that has 256 of them in flight gets no other, while others do', async () => {
    const decisions = decisionsWith({ maxEntries: 10_000 });
    const answers = held();
    const many = Array.from({ length: 256 }, (_, index) => decided(decisions.decide(web, question(`order-${index}`))));

    expect(await caught(decided(decisions.decide(web, question('one-more'))))).toMatchObject({
      code: 'review_queue_full',
    });
    expect(decisions.decide(batch, one)).toBeInstanceOf(Promise);
    expect(decisions.decide(web, question('order-0'))).toBeInstanceOf(Promise);
    expect(asked).toHaveLength(257);
    for (const give of answers) give(allowance);
    await Promise.all(many);
  });
});

describe('an error', () => {
  test('is what everyone who waits gets, is logged once, and never remembered', async () => {
    const decisions = decisionsWith();
    const answers = held();
    const both = [decisions.decide(web, one), decisions.decide(web, one)].map((each) => caught(decided(each)));
    const down = new Unavailability('api_server_unreachable', 'refused', 7);
    answers[0]?.(down);

    expect(await Promise.all(both)).toEqual([down, down]);
    expect(logged).toEqual([{ level: 'error', code: 'api_server_unreachable', message: 'refused' }]);
    expect(decisions.size).toBe(0);
    answer = async () => allowance;
    expect(await decisions.decide(web, one)).toBe(true);
  });

  test('of no known kind is unavailability, without its words', async () => {
    const decisions = decisionsWith();
    answer = () => Promise.reject(new Error('secret'));

    const error = await caught(decided(decisions.decide(web, one)));
    expect(error).toMatchObject({ code: 'reviewer_failed' });
    expect(JSON.stringify([String(error), logged])).not.toContain('secret');
  });
});

describe('what is held is bounded:', () => {
  test('the least recently used decision goes first', async () => {
    const decisions = decisionsWith({ maxEntries: 3 });
    const callers = ['a', 'b', 'c', 'd'].map((name) => fakeIdentity(`shop/${name}`));
    const [a, b, c, d] = callers as [typeof web, typeof web, typeof web, typeof web];
    for (const caller of [a, b, c]) await decisions.decide(caller, one);
    expect(decisions.decide(a, one)).toBe(true);
    await decisions.decide(d, one);

    expect(decisions.size).toBe(3);
    expect([a, c, d].map((caller) => decisions.decide(caller, one))).toEqual([true, true, true]);
    expect(decisions.decide(b, one)).toBeInstanceOf(Promise);
  });

  test('one caller holds a tenth of the decisions at most, and pushes out its own oldest only', async () => {
    const decisions = decisionsWith({ maxEntries: 30 });
    await decisions.decide(batch, one);
    for (let index = 0; index < 100; index += 1) await decisions.decide(web, question(`order-${index}`));

    expect(decisions.size).toBe(4);
    expect(decisions.decide(batch, one)).toBe(true);
    expect(['order-97', 'order-98', 'order-99'].map((name) => decisions.decide(web, question(name)))).toEqual([
      true,
      true,
      true,
    ]);
    expect(decisions.decide(web, question('order-96'))).toBeInstanceOf(Promise);
  });

  test('a decision that is made anew takes the place of the old one', async () => {
    const decisions = decisionsWith();
    for (let round = 0; round < 5; round += 1) {
      await decisions.decide(web, one);
      clock.advance(60_000);
    }
    expect(decisions.size).toBe(1);
    expect(asked).toHaveLength(5);
  });
});

describe('once rights have changed', () => {
  test('nothing decided before is used again', async () => {
    const decisions = decisionsWith();
    await decisions.decide(web, one);
    decisions.permissionsChanged();
    answer = async () => denial;

    expect(decisions.size).toBe(0);
    expect(await decisions.decide(web, one)).toBe(false);
  });

  test('the answer of a review that began before is discarded, and asked for anew', async () => {
    const decisions = decisionsWith();
    const answers = held();
    const decision = decisions.decide(web, one);
    clock.advance(500);
    decisions.permissionsChanged();
    answers[0]?.(allowance);
    await settled();
    expect(answers).toHaveLength(2);
    answers[1]?.(denial);

    expect(await decision).toBe(false);
    expect(asked.map(({ waitedMs }) => waitedMs)).toEqual([0, 500]);
    expect(reviewed.map(({ outcome }) => outcome)).toEqual(['allowed', 'denied']);
    expect(decisions.decide(web, one)).toBe(false);
  });

  test('a denial that began before is discarded too: the right may have been given', async () => {
    const decisions = decisionsWith();
    const answers = held();
    const decision = decisions.decide(web, one);
    decisions.permissionsChanged();
    answers[0]?.(denial);
    await settled();
    answers[1]?.(allowance);

    expect(await decision).toBe(true);
  });

  test('and again with every review, nobody can say', async () => {
    const decisions = decisionsWith();
    answer = async () => {
      decisions.permissionsChanged();
      return allowance;
    };

    expect(await caught(decided(decisions.decide(web, one)))).toMatchObject({ code: 'permissions_changing' });
    expect(asked).toHaveLength(3);
    expect(decisions.size).toBe(0);
  });

  test('an allowance is kept for 1 s at most while its review began within 5 s, and then as long as ever', async () => {
    const decisions = decisionsWith();
    decisions.permissionsChanged();
    clock.advance(4_999);
    await decisions.decide(web, one);
    clock.advance(999);
    expect(decisions.decide(web, one)).toBe(true);
    clock.advance(1);
    expect(await decisions.decide(web, one)).toBe(true);
    expect(asked).toHaveLength(2);
    clock.advance(59_999);
    expect(decisions.decide(web, one)).toBe(true);
  });

  test('one from the first 50 ms is kept for as long: the API server may not have heard of the change itself', async () => {
    const decisions = decisionsWith();
    decisions.permissionsChanged();
    clock.advance(49);
    await decisions.decide(web, one);
    clock.advance(49);
    expect(decisions.decide(web, one)).toBe(true);
    clock.advance(1);
    answer = async () => denial;
    expect(await decisions.decide(web, one)).toBe(false);
  });

  test('a denial from then is kept for 1 s, so that replicas that lag bring nothing back; a later one as long as ever', async () => {
    const decisions = decisionsWith();
    decisions.permissionsChanged();
    answer = async () => denial;
    clock.advance(49);
    await decisions.decide(web, one);
    clock.advance(999);
    expect(decisions.decide(web, one)).toBe(false);
    clock.advance(1);
    await decisions.decide(web, one);
    expect(asked).toHaveLength(2);
    clock.advance(9_999);
    expect(decisions.decide(web, one)).toBe(false);
  });

  test('and an age under 1 s stays what it is', async () => {
    const decisions = decisionsWith({ maxAgeMs: 100 });
    decisions.permissionsChanged();
    clock.advance(50);
    await decisions.decide(web, one);
    clock.advance(100);
    expect(decisions.decide(web, one)).toBeInstanceOf(Promise);
  });
});

describe('what tells of changed rights', () => {
  test('begins with the first decision to be made, and what it tells counts', async () => {
    const started: (() => void)[] = [];
    const source: PermissionsSource = {
      start: (changed) => void started.push(changed),
      state: 'live',
      close: () => {},
    };
    const decisions = decisionsWith({}, source);
    expect(started).toEqual([]);
    await decisions.decide(web, one);
    expect(started).toHaveLength(1);
    expect(decisions.decide(web, one)).toBe(true);
    expect(started).toHaveLength(1);

    started[0]?.();
    answer = async () => denial;
    expect(await decisions.decide(web, one)).toBe(false);
  });
});

test('every review is told of, with what was asked and the words of the API server', async () => {
  const decisions = decisionsWith();
  const answers = held();
  const decision = decisions.decide(web, one);
  clock.advance(25);
  answers[0]?.(allowance);
  await decision;
  answer = () => Promise.reject(new Unavailability('api_server_timeout', 'slow'));
  await caught(decided(decisions.decide(batch, one)));

  const permission = 'get orders.orders.example.com "one"';
  expect(reviewed).toEqual([
    { outcome: 'allowed', durationMs: 25, identity: web, permission, reason: 'RBAC: allowed' },
    { outcome: 'unavailable', durationMs: 0, identity: batch, permission, reason: '' },
  ]);
});
