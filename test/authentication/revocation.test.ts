import { describe, expect, test } from '@jest/globals';
import { Unavailability } from '../../src/authentication/reviewer.ts';
import type { WatchedKind } from '../../src/authentication/revocation-source.ts';
import { caught } from '../support/caught.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { settled } from '../support/settled.ts';
import { podClaims, podReview, podToken, unsignedToken } from '../support/tokens.ts';
import { started, world, type World } from '../support/watched-world.ts';

/** Of the ServiceAccount `shop/web`, bound to that or to it alone. */
const tokenBoundTo = (clock: FakeClock, bound: { readonly node?: object; readonly secret?: object }): string => {
  const claims = podClaims(clock);
  const { namespace, serviceaccount } = claims['kubernetes.io'];
  return unsignedToken({ ...claims, 'kubernetes.io': { namespace, serviceaccount, ...bound } });
};
const secret = { name: 'secret-1', uid: 'uid-of-secret-1' };
/** Of a token that is bound to neither a Pod nor a Node. */
const accountReview = podReview({ extra: { 'authentication.kubernetes.io/credential-id': ['JTI=credential-1'] } });
const nodeReview = podReview({
  extra: {
    'authentication.kubernetes.io/credential-id': ['JTI=credential-1'],
    'authentication.kubernetes.io/node-name': ['node-a'],
    'authentication.kubernetes.io/node-uid': ['uid-of-node-a'],
  },
});

describe('what is deleted', () => {
  test.each<[WatchedKind, string]>([
    ['Pod', 'uid-of-web-1'],
    ['ServiceAccount', 'uid-of-web'],
  ])("is out at once, cached or not: the token's %s", async (kind, uid) => {
    const { authenticator, watch, token, clock, reviewer, revoked, outcome } = world();
    const identity = await authenticator.authenticate(token);
    watch.delete(kind, uid);
    expect(authenticator.cached(token)).toBeUndefined();
    expect([await outcome(), await outcome(podToken(clock))]).toEqual(['token_revoked', 'token_revoked']);
    expect(reviewer.asked).toEqual([token]);
    expect(revoked).toEqual([{ kind, uid, identities: [identity], streams: 0 }]);
    expect(await caught(authenticator.authenticate(token))).toMatchObject({
      status: 401,
      headers: { 'WWW-Authenticate': expect.stringContaining('error="invalid_token"') },
    });
  });

  test('is refused though the review that was in flight vouches for it, and everyone who waited is told so', async () => {
    const { reviewer, watch, authenticator, outcome } = world();
    const review = reviewer.hold();
    const waiting = [outcome(), outcome()];
    await settled();
    watch.delete('Pod', 'uid-of-web-1');
    review.answer(podReview());
    expect(await Promise.all(waiting)).toEqual(['token_revoked', 'token_revoked']);
    expect(authenticator.status()).toMatchObject({ cachedIdentities: 0, cachedRejections: 1 });
  });

  test('is not brought back by a review ahead of need', async () => {
    const { reviewer, watch, authenticator, clock, token } = world();
    await authenticator.authenticate(token);
    clock.advance(55_000);
    const review = reviewer.hold();
    expect(authenticator.cached(token)).toBeDefined();
    expect(reviewer.asked).toHaveLength(2);
    watch.delete('Pod', 'uid-of-web-1');
    review.answer(podReview());
    await settled();
    expect(authenticator.cached(token)).toBeUndefined();
  });

  test('is refused for as long as the API server vouches for it, though it were for an hour', async () => {
    const { watch, clock, authenticator, outcome } = world();
    await authenticator.ready();
    watch.delete('Pod', 'uid-of-web-1');
    for (let minute = 0; minute < 55; minute += 1) {
      expect(await outcome()).toBe('token_revoked');
      watch.delete('Pod', `uid-of-other-${minute}`);
      clock.advance(60_000);
    }
  });

  test.each([
    [60_000, 660_000],
    [600_000, 660_000],
    [1_200_000, 1_260_000],
  ])(
    'is remembered for longer than any identity of it may live (%d ms) and be behind the times',
    async (life, ageMs) => {
      const lifetimes = {
        maxAgeMs: 60_000,
        absoluteMaxAgeMs: life,
        rejectionMaxAgeMs: 10_000,
        staleIfUnavailableMs: 0,
      };
      const { watch, clock, authenticator, outcome } = world({ parts: { lifetimes } });
      await authenticator.ready();
      const tokens = Array.from({ length: 60 }, (_, index) => {
        const claims = podClaims(clock, { exp: clock.now() / 1000 + 7_200 });
        const pod = { name: `web-${index}`, uid: `uid-of-web-${index}` };
        return unsignedToken({ ...claims, 'kubernetes.io': { ...claims['kubernetes.io'], pod } });
      });
      const outcomes: unknown[] = [];
      for (const [index] of tokens.entries()) {
        watch.delete('Pod', `uid-of-web-${index}`);
        clock.advance(59_999);
        const old = tokens[index + 1 - ageMs / 60_000];
        if (old !== undefined) outcomes.push(await outcome(old));
        clock.advance(1);
      }
      expect(outcomes.length).toBeGreaterThan(30);
      expect(new Set(outcomes)).toEqual(new Set(['token_revoked']));
    },
  );

  test('bridges no outage', async () => {
    const lifetimes = {
      maxAgeMs: 60_000,
      absoluteMaxAgeMs: 600_000,
      rejectionMaxAgeMs: 10_000,
      staleIfUnavailableMs: 600_000,
    };
    const { reviewer, watch, clock, outcome } = world({ parts: { lifetimes } });
    await outcome();
    clock.advance(60_000);
    reviewer.answer = () => Promise.reject(new Unavailability('api_server_unreachable', 'ECONNREFUSED'));
    expect(await outcome()).toBe('web');
    watch.delete('Pod', 'uid-of-web-1');
    expect(await outcome()).toBe('token_revoked');
  });

  test('ends nobody else: another Pod of the ServiceAccount, a namesake, and the Pods of a Node go on', async () => {
    const { authenticator, watch, token, revoked } = world();
    await authenticator.authenticate(token);
    for (const [kind, uid] of [
      ['Pod', 'uid-of-web-2'],
      ['Pod', 'web-1'],
      ['Node', 'uid-of-node-a'],
      ['ServiceAccount', 'uid-of-api'],
    ] as const) {
      watch.delete(kind, uid);
    }
    expect(authenticator.cached(token)).toBeDefined();
    expect(revoked).toEqual([]);
  });

  test('is a Node too, for the tokens bound to it', async () => {
    const { reviewer, watch, clock, outcome } = world();
    reviewer.answer = async () => nodeReview;
    const token = tokenBoundTo(clock, { node: { name: 'node-a', uid: 'uid-of-node-a' } });
    expect(await outcome(token)).toBe('web');
    watch.delete('Node', 'uid-of-node-a');
    expect(await outcome(token)).toBe('token_revoked');
  });
});

describe('what terminates', () => {
  test('is good until its deletionTimestamp and 60 s more, as the API server has it, and no later', async () => {
    const { authenticator, watch, token, clock, reviewer, outcome } = world();
    await authenticator.authenticate(token);
    watch.terminate('Pod', 'uid-of-web-1', clock.now() - 30_000);
    clock.advance(29_999);
    expect(authenticator.cached(token)).toBeDefined();
    const other = podToken(clock);
    expect(await outcome(other)).toBe('web');
    clock.advance(1);
    expect([authenticator.cached(token), authenticator.cached(other)]).toEqual([undefined, undefined]);
    expect([await outcome(), await outcome(other), await outcome(podToken(clock))]).toEqual(
      Array(3).fill('token_revoked'),
    );
    expect(reviewer.asked).toEqual([token, other]);
  });

  test('is good throughout a grace period that has yet to end, though the watch proves that it exists', async () => {
    const { authenticator, watch, token, clock } = world();
    await authenticator.authenticate(token);
    watch.terminate('Pod', 'uid-of-web-1', clock.now() + 60_000);
    for (let second = 0; second < 119; second += 1) {
      clock.advance(1_000);
      watch.cover({ since: started - 60_000, provenAt: clock.monotonic() });
      expect(authenticator.cached(token)).toBeDefined();
    }
    clock.advance(1_000);
    expect(authenticator.cached(token)).toBeUndefined();
  });

  test('is out at once where that time has passed already: held by a finalizer, it may never be deleted', async () => {
    const { authenticator, watch, token, clock, revoked } = world();
    await authenticator.authenticate(token);
    watch.terminate('Pod', 'uid-of-web-1', clock.now() - 60_000);
    expect(authenticator.cached(token)).toBeUndefined();
    expect(revoked).toHaveLength(1);
  });

  test('is out at once with refuseTerminating', async () => {
    const { authenticator, watch, token, clock, outcome } = world({ refuseTerminating: true });
    await authenticator.authenticate(token);
    watch.terminate('Pod', 'uid-of-web-1', clock.now() + 30_000);
    expect([authenticator.cached(token), await outcome()]).toEqual([undefined, 'token_revoked']);
  });
});

/** For how many milliseconds, in steps of a second, a token needs no other review while the watch goes on as it says. */
async function lifeOf({ authenticator, clock, reviewer, token }: World, goOn: () => void): Promise<number> {
  await authenticator.authenticate(token);
  reviewer.spareCapacity = false;
  const reviewedAt = clock.monotonic();
  while (authenticator.cached(token) && clock.monotonic() < reviewedAt + 3_600_000) {
    clock.advance(1_000);
    goOn();
  }
  return clock.monotonic() - reviewedAt;
}

const proveLife = ({ watch, clock }: World, kinds?: readonly WatchedKind[]): void =>
  watch.cover({ since: started - 60_000, provenAt: clock.monotonic() }, kinds);

describe('an identity may be used', () => {
  test('for ten minutes after its review while the watch proves life', async () => {
    const it = world();
    expect(await lifeOf(it, () => proveLife(it))).toBe(600_000);
    expect(it.reviewer.asked).toHaveLength(1);
  });

  test('for 60 s after the last proof of life', async () => {
    const it = world();
    const breaksAt = it.clock.monotonic() + 100_000;
    expect(await lifeOf(it, () => it.clock.monotonic() <= breaksAt && proveLife(it))).toBe(160_000);
  });

  test('for 60 s after its review where the watch began less than 60 s before it', async () => {
    const it = world();
    it.watch.cover({ since: started - 59_999, provenAt: started });
    const goOn = (): void => it.watch.cover({ since: started - 59_999, provenAt: it.clock.monotonic() });
    expect(await lifeOf(it, goOn)).toBe(60_000);
  });

  test('for no longer than before after a gap, though the watch is alive again', async () => {
    const it = world();
    const gapAt = it.clock.monotonic() + 100_000;
    expect(
      await lifeOf(it, () => {
        const now = it.clock.monotonic();
        if (now <= gapAt) proveLife(it);
        else it.watch.cover({ since: gapAt + 500, provenAt: now });
      }),
    ).toBeLessThanOrEqual(160_000);
  });

  test('for as long as was proven before a gap, asked for all the while', async () => {
    const draws = [0, 1 - Number.EPSILON];
    const it = world({ parts: { random: () => draws.shift() ?? 0 } });
    const gapAt = it.clock.monotonic() + 100_000;
    const life = await lifeOf(it, () => {
      const now = it.clock.monotonic();
      if (now <= gapAt) proveLife(it);
      else it.watch.cover({ since: gapAt + 500, provenAt: now });
    });
    // Its last proof was asked for when half of the term before had passed.
    expect(life).toBeGreaterThanOrEqual(100_000 + 60_000 / 2);
  });

  test.each<[string, WatchedKind[]]>([
    ['Pods', ['ServiceAccount', 'Node']],
    ['ServiceAccounts', ['Pod', 'Node']],
  ])('for 60 s where %s are not covered', async (_, covered) => {
    const it = world();
    it.watch.covered = {};
    expect(await lifeOf(it, () => proveLife(it, covered))).toBe(60_000);
  });

  test('for ten minutes though Nodes are not covered: the API server does not look up the Node of a Pod', async () => {
    const it = world();
    it.watch.covered = {};
    proveLife(it, ['Pod', 'ServiceAccount']);
    it.watch.cover({ since: started - 60_000, provenAt: started }, ['Pod', 'ServiceAccount']);
    expect(await lifeOf(it, () => proveLife(it, ['Pod', 'ServiceAccount']))).toBe(600_000);
  });

  test('for 60 s in a namespace that is not watched', async () => {
    const it = world();
    it.watch.namespaces = ['billing'];
    expect(await lifeOf(it, () => proveLife(it))).toBe(60_000);
  });

  test('for 60 s with a token that is bound to a Secret', async () => {
    const it = world();
    const token = tokenBoundTo(it.clock, { secret });
    it.reviewer.answer = async () => accountReview;
    expect(await lifeOf({ ...it, token }, () => proveLife(it))).toBe(60_000);
  });

  test('for 60 s with a token that is bound to a Secret, though its ServiceAccount was seen for the sake of another', async () => {
    const it = world();
    await it.outcome();
    await settled();
    const token = tokenBoundTo(it.clock, { secret });
    it.reviewer.answer = async () => accountReview;
    expect(await lifeOf({ ...it, token }, () => proveLife(it))).toBe(60_000);
  });

  test('for ten minutes with a Node-bound token, unless Nodes are not covered', async () => {
    for (const [covered, life] of [
      [['ServiceAccount', 'Node'], 600_000],
      [['ServiceAccount', 'Pod'], 60_000],
    ] as const) {
      const it = world();
      it.watch.covered = {};
      proveLife(it, covered);
      it.reviewer.answer = async () => nodeReview;
      const token = tokenBoundTo(it.clock, { node: { name: 'node-a', uid: 'uid-of-node-a' } });
      expect(await lifeOf({ ...it, token }, () => proveLife(it, covered))).toBe(life);
    }
  });

  test('for ten minutes with a token that is bound to its ServiceAccount alone', async () => {
    const it = world();
    const token = tokenBoundTo(it.clock, {});
    it.reviewer.answer = async () => accountReview;
    expect(await lifeOf({ ...it, token }, () => proveLife(it))).toBe(600_000);
  });

  test('for 60 s with a Node-bound token that does not say which Node it means', async () => {
    const it = world();
    const { extra } = nodeReview;
    const { 'authentication.kubernetes.io/node-uid': _, ...without } = extra;
    it.reviewer.answer = async () => podReview({ extra: without });
    const token = tokenBoundTo(it.clock, { node: { name: 'node-a' } });
    expect(await lifeOf({ ...it, token }, () => proveLife(it))).toBe(60_000);
  });

  test('for 60 s once more uids were revoked than can be remembered, and for ten minutes again afterwards', async () => {
    const it = world();
    await it.authenticator.ready();
    for (let index = 0; index < 100_000; index += 1) it.watch.delete('Pod', `uid-of-other-${index}`);
    expect(await lifeOf(it, () => proveLife(it))).toBe(60_000);
    it.clock.advance(60_000);
    proveLife(it);
    expect(await lifeOf(it, () => proveLife(it))).toBe(600_000);
  });

  test('though it was not asked for while its term ended', async () => {
    const { authenticator, watch, clock, reviewer, token } = world();
    await authenticator.authenticate(token);
    clock.advance(300_000);
    watch.cover({ since: started - 60_000, provenAt: clock.monotonic() - 59_999 });
    reviewer.spareCapacity = false;
    expect(authenticator.cached(token)).toBeDefined();
    clock.advance(1);
    expect(authenticator.cached(token)).toBeUndefined();
  });
});

describe('what was terminating before the watch began, of which no event tells,', () => {
  const endedAt = (it: World, name: string, from: number): void => {
    it.watch.objects.set(name, { uid: `uid-of-${name}`, deletionTimestamp: from });
  };

  test.each(['web-1', 'web'])('is good until its deletionTimestamp and 60 s more: %s', async (name) => {
    const it = world();
    endedAt(it, name, it.clock.now() - 30_000);
    expect(await lifeOf(it, () => proveLife(it))).toBe(30_000);
  });

  test('is out at once where that time has passed: held by a finalizer, it may never be deleted', async () => {
    const it = world();
    endedAt(it, 'web-1', it.clock.now() - 60_000);
    expect(await it.outcome()).toBe('web');
    await settled();
    expect(await it.outcome()).toBe('token_revoked');
    expect(it.revoked).toMatchObject([{ kind: 'Pod', uid: 'uid-of-web-1', identities: [{ name: 'web' }] }]);
  });

  test('is looked up once, however many tokens are bound to it', async () => {
    const it = world();
    const tokens = Array.from({ length: 5 }, (_, index) => unsignedToken({ ...podClaims(it.clock), index }));
    await Promise.all(tokens.slice(0, 3).map((token) => it.outcome(token)));
    await settled();
    for (const token of tokens) expect(await it.outcome(token)).toBe('web');
    expect(it.watch.lookedAt.toSorted()).toEqual(['web', 'web-1']);
  });

  test('is looked up anew after a gap: it may have begun to terminate meanwhile', async () => {
    const it = world();
    await it.outcome();
    it.clock.advance(200_000);
    it.watch.cover({ since: it.clock.monotonic() - 100_000, provenAt: it.clock.monotonic() });
    endedAt(it, 'web-1', it.clock.now() - 60_000);
    expect(await it.outcome()).toBe('web');
    await settled();
    expect(await it.outcome()).toBe('token_revoked');
  });

  test.each([
    ['cannot be looked up', undefined],
    ['is another one by now', { uid: 'uid-of-another', deletionTimestamp: undefined }],
  ])('is good for 60 s where it %s', async (_, seen) => {
    const it = world();
    it.watch.objects.set('web-1', seen);
    expect(await lifeOf(it, () => proveLife(it))).toBe(60_000);
  });

  test('is looked up anew where an event told of it, and so many were deleted since that it was forgotten', async () => {
    const it = world();
    await it.outcome();
    await settled();
    it.watch.terminate('Pod', 'uid-of-web-1', it.clock.now() + 3_600_000);
    for (let index = 0; index < 65_537; index += 1) it.watch.delete('Pod', `uid-of-another-${index}`);
    it.clock.advance(600_000);
    endedAt(it, 'web-1', it.clock.now() - 60_000);
    proveLife(it);
    await it.outcome();
    await settled();
    expect(await it.outcome()).toBe('token_revoked');
  });

  test('is looked up for 1,024 objects at once, and for others after their next review', async () => {
    const it = world();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    it.watch.lookAt = async (_kind, _namespace, name) => {
      it.watch.lookedAt.push(name);
      return promise;
    };
    const tokens: string[] = [];
    for (let index = 0; index < 1_030; index += 1) {
      const pod = { name: `web-${index}`, uid: `uid-of-web-${index}` };
      const claims = podClaims(it.clock);
      const token = unsignedToken({ ...claims, 'kubernetes.io': { ...claims['kubernetes.io'], pod } });
      it.reviewer.answer = async () =>
        podReview({
          extra: {
            ...podReview().extra,
            'authentication.kubernetes.io/pod-name': [pod.name],
            'authentication.kubernetes.io/pod-uid': [pod.uid],
          },
        });
      expect(await it.outcome(token)).toBe('web');
      tokens.push(token);
    }
    // One of them is the ServiceAccount.
    expect([it.watch.lookedAt.length, it.watch.lookedAt.at(-1)]).toEqual([1_024, 'web-1022']);
    resolve(undefined);
    await settled();
    it.clock.advance(60_000);
    proveLife(it);
    expect(await it.outcome(tokens.at(-1))).toBe('web');
    expect(it.watch.lookedAt).toContain('web-1029');
  });

  test('is looked up anew where it was refused early, and that is forgotten', async () => {
    const it = world({ refuseTerminating: true });
    expect(await it.outcome()).toBe('web');
    await settled();
    const deletionTimestamp = it.clock.now() + 7_200_000;
    it.watch.terminate('Pod', 'uid-of-web-1', deletionTimestamp);
    expect(await it.outcome()).toBe('token_revoked');
    it.watch.objects.set('web-1', { uid: 'uid-of-web-1', deletionTimestamp });
    for (const other of ['a', 'b', 'c']) {
      it.clock.advance(700_000);
      it.watch.delete('Pod', `uid-of-other-${other}`);
    }
    proveLife(it);
    const token = podToken(it.clock);
    await it.outcome(token);
    await settled();
    expect(await it.outcome(token)).toBe('token_revoked');
  });

  test('is not looked up where the watch does not cover it', async () => {
    const it = world();
    it.watch.covered = {};
    await it.outcome();
    expect(it.watch.lookedAt).toEqual([]);
  });
});

test('while the watch proves life nobody is reviewed ahead of need until the ten minutes end', async () => {
  const it = world();
  await it.authenticator.authenticate(it.token);
  for (let second = 0; second < 539; second += 1) {
    it.clock.advance(1_000);
    if (second % 30 === 29) proveLife(it);
    expect(it.authenticator.cached(it.token)).toBeDefined();
  }
  await settled();
  expect(it.reviewer.asked).toHaveLength(1);
  it.clock.advance(1_000);
  expect(it.authenticator.cached(it.token)).toBeDefined();
  await settled();
  expect(it.reviewer.asked).toHaveLength(2);
});

describe('verifyNode', () => {
  const directory = (uid: string | undefined) => {
    const asked: string[] = [];
    const nodes = { uid, asked, uidOf: async (name: string) => (asked.push(name), nodes.uid) };
    return nodes;
  };

  test('lets in whose Node exists with that uid, looked up with each review', async () => {
    const nodes = directory('uid-of-node-a');
    const { outcome, clock } = world({ nodes });
    expect([await outcome(), await outcome(), await outcome(podToken(clock))]).toEqual(['web', 'web', 'web']);
    expect(nodes.asked).toEqual(['node-a', 'node-a']);
  });

  test.each([
    ['is gone', undefined],
    ['was registered anew', 'uid-of-another'],
  ])('refuses whose Node %s', async (_, uid) => {
    const { outcome, authenticator, token } = world({ nodes: directory(uid) });
    expect(await outcome()).toBe('node_not_verified');
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ status: 401 });
  });

  test.each([
    ['names its Node without a uid', { name: 'node-a' }],
    ['names no Node', undefined],
  ])('refuses a Pod-bound token that %s', async (_, node) => {
    const { outcome, clock, reviewer } = world({ nodes: directory('uid-of-node-a') });
    const claims = podClaims(clock);
    const token = unsignedToken({ ...claims, 'kubernetes.io': { ...claims['kubernetes.io'], node } });
    const { extra } = podReview();
    const { 'authentication.kubernetes.io/node-uid': __, ...rest } = extra;
    const { 'authentication.kubernetes.io/node-name': ___, ...nowhere } = rest;
    reviewer.answer = async () => podReview({ extra: node ? rest : nowhere });
    expect(await outcome(token)).toBe('node_not_verified');
  });

  test('looks the Node up in what is left of the time: the token has waited, and its review took some', async () => {
    const waited: number[] = [];
    const nodes = { uidOf: async (_name: string, waitedMs: number) => (waited.push(waitedMs), 'uid-of-node-a') };
    const { clock, reviewer, outcome } = world({
      nodes,
      parts: {
        signatures: {
          judge: async () => (clock.advance(300), 'confirmed'),
          ready: async () => {},
          keysFetchedAt: undefined,
        },
      },
    });
    reviewer.answer = async () => (clock.advance(500), podReview());
    expect(await outcome()).toBe('web');
    expect(waited).toEqual([800]);
  });

  test('refuses the Pods of a Node from its deletion on', async () => {
    const { outcome, watch, authenticator, token } = world({ nodes: directory('uid-of-node-a') });
    await outcome();
    watch.delete('Node', 'uid-of-node-a');
    expect([authenticator.cached(token), await outcome()]).toEqual([undefined, 'token_revoked']);
  });

  test('refuses a Node that was deleted while it was looked up', async () => {
    const found = Promise.withResolvers<string>();
    const it = world({ nodes: { uidOf: () => found.promise } });
    const waiting = it.outcome();
    await settled();
    it.watch.delete('Node', 'uid-of-node-a');
    found.resolve('uid-of-node-a');
    expect(await waiting).toBe('token_revoked');
  });

  test('is unavailability where nobody can say, and is asked about anew', async () => {
    let fails = true;
    const uidOf = async (): Promise<string> => {
      if (fails) throw new Unavailability('reviewer_forbidden', 'nodes is forbidden');
      return 'uid-of-node-a';
    };
    const { outcome } = world({ nodes: { uidOf } });
    expect(await outcome()).toBe('reviewer_forbidden');
    fails = false;
    expect(await outcome()).toBe('web');
  });

  test('lengthens no term where Nodes are not covered', async () => {
    const it = world({ nodes: directory('uid-of-node-a') });
    it.watch.covered = {};
    expect(await lifeOf(it, () => proveLife(it, ['Pod', 'ServiceAccount']))).toBe(60_000);
  });

  test('says nothing of tokens that are bound to no Pod', async () => {
    const nodes = directory(undefined);
    const { outcome, clock, reviewer } = world({ nodes });
    reviewer.answer = async () => nodeReview;
    expect(await outcome(tokenBoundTo(clock, { node: { name: 'node-a', uid: 'uid-of-node-a' } }))).toBe('web');
    expect(nodes.asked).toEqual([]);
  });

  test('works without a watch, with each review', async () => {
    const nodes = directory('uid-of-node-a');
    const { outcome, clock } = world({ parts: { revocation: { nodes } } });
    expect(await outcome()).toBe('web');
    nodes.uid = undefined;
    clock.advance(60_000);
    expect(await outcome()).toBe('node_not_verified');
  });
});

describe('the watch', () => {
  test('starts with the first token or with ready(), once, and ends with close()', async () => {
    const { authenticator, watch, outcome } = world();
    expect(watch.started).toBe(0);
    await outcome();
    await authenticator.ready();
    expect([watch.started, watch.closed]).toEqual([1, 0]);
    await authenticator.close();
    expect(watch.closed).toBe(1);
  });

  test('is waited for by ready(), until it is known whether it can tell', async () => {
    const { authenticator, watch } = world();
    const { promise, resolve } = Promise.withResolvers<void>();
    watch.ready = () => promise;
    let isReady = false;
    const readiness = authenticator.ready().then(() => (isReady = true));
    await settled();
    expect(isReady).toBe(false);
    resolve();
    expect(await readiness).toBe(true);
  });

  test('is part of the status', () => {
    const { authenticator, watch } = world();
    watch.states.Node = 'forbidden';
    expect(authenticator.status().watches).toEqual({ Pod: 'live', ServiceAccount: 'live', Node: 'forbidden' });
  });
});
