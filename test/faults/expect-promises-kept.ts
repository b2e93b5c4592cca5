import { expect } from '@jest/globals';
import type { Fault } from './fault.ts';
import { type Call, isHopeless, type Kind } from './load.ts';
import type { Observation } from './observe.ts';
import { deadlineMs } from './stage.ts';

/**
 * What a wait may add to the deadline, besides what the machine made everyone wait at that time: timers and sockets of a
 * process that shares two cores. A wait without an end would last until its fault does: at least 1.5 s past the deadline.
 */
const toleranceMs = 1_000;
/** Where everyone waits that long, a review may miss its deadline for no other reason, and what it meets is no verdict. */
const busyMs = 300;
const busyCodes: Fault['log'] = ['api_server_timeout', 'api_server_down', 'keys_unavailable'];
/** The circuit's first pause is a second and a half at most, its second one four, and a try may take the deadline. */
const pausesMs = 12_000;
/** As many as may run at once, the ones that open the circuit, and a try after each of its pauses. */
const mostReviewsOfAnOutage = 32 + 10 + 5;

/** No wrong identity, no wait past the deadline, no 401 for a valid caller; and what this fault allows. */
export function expectPromisesKept(fault: Fault, validCaller: string, observed: Observation): void {
  const { calls, machineMs } = observed;
  const { longestRecoveryMs = pausesMs } = fault;
  expect(calls.filter(({ kind, status, caller }) => status === 200 && !isRightly(kind, caller, validCaller))).toEqual(
    [],
  );
  const valid = calls.filter(({ kind }) => isValid(kind));
  expect(others(statuses(valid), [200, 503, ...(fault.newCallers ?? [])])).toEqual([]);
  expect(calls.filter(({ status, retryAfter }) => status === 503 && !(Number(retryAfter) >= 1))).toEqual([]);
  expect(statuses(calls.filter(({ kind }) => isHopeless(kind)))).toEqual([401]);
  expect(Math.max(...calls.map(({ tookMs }) => tookMs))).toBeLessThan(deadlineMs + toleranceMs + machineMs);
  expectWhileItLasts(fault, observed);
  expect(observed.recoveryMs).toBeLessThan(longestRecoveryMs + toleranceMs + machineMs);
  expectAllGoodAfterwards(validCaller, observed);
  expectLogged(fault, observed);
}

function expectWhileItLasts(fault: Fault, { during, reviewsSent, machineMs }: Observation): void {
  const { newCallers = [503], forged = 401, isOutage = false, fromTheStart = false } = fault;
  const refused = fault.refused ? [fault.refused] : newCallers.map((status) => (status === 200 ? 401 : status));
  const excused = machineMs > busyMs ? [503] : [];
  const of = (...kinds: readonly Kind[]): number[] => statuses(during.filter(({ kind }) => kinds.includes(kind)));
  expect(others(of('new', 'returning'), [...newCallers, ...excused])).toEqual([]);
  expect(others(of('refused'), [...refused, ...excused])).toEqual([]);
  expect(others(of('forged'), [forged, ...excused])).toEqual([]);
  expect(of('known')).toEqual(fromTheStart ? [] : [200]);
  if (isOutage) expect(reviewsSent).toBeLessThanOrEqual(mostReviewsOfAnOutage);
}

function expectAllGoodAfterwards(validCaller: string, { after, status, machineMs }: Observation): void {
  if (machineMs > busyMs && status.circuit !== 'closed') return;
  const { valid, known, ...bad } = after;
  expect([valid, known]).toEqual(Array(2).fill(expect.objectContaining({ status: 200, caller: validCaller })));
  expect(Object.values(bad).map((answer) => answer.status)).toEqual([401, 401, 401, 401]);
  expect(status).toMatchObject({ state: 'open', circuit: 'closed', reviewsInFlight: 0 });
  expect(status.credentialReadAt).toEqual(expect.any(Number));
}

/** One line for each thing that is wrong, however many callers met it, and the words that help. */
function expectLogged(fault: Fault, { during, logged, logLines, machineMs }: Observation): void {
  const { log, words = /./, newCallers = [] } = fault;
  const codes = [...new Set(logged.map(({ code }) => code))];
  expect(logLines).toHaveLength(codes.length);
  const excused = machineMs > busyMs ? busyCodes.filter((code) => !log.includes(code)) : [];
  expect(others(codes, [...log, ...excused])).toEqual([]);
  // While the circuit is open, callers are told so, with the reason: whoever is not the first to meet it sees only that.
  const reasons = logged.filter(
    ({ code }) => !excused.includes(code) && (code !== 'keys_unavailable' || log[0] === code),
  );
  if (excused.length > 0) return;
  // Where it may be over before a review has been tried for the last time, nobody need have noticed.
  const mayBeUnnoticed = newCallers.includes(200) && newCallers.includes(503);
  const isUnnoticed = mayBeUnnoticed && !statuses(during).includes(503);
  if (!isUnnoticed) expect(reasons.length > 0).toBe(log.length > 0);
  for (const { message } of reasons) expect(message).toMatch(words);
}

const isValid = (kind: Kind): boolean => kind === 'new' || kind === 'returning' || kind === 'known';

const isRightly = (kind: Kind, caller: string | undefined, validCaller: string): boolean =>
  isValid(kind) && caller === validCaller;

const statuses = (calls: readonly Call[]): number[] => [...new Set(calls.map(({ status }) => status))];

const others = <T>(found: readonly T[], allowed: readonly T[]): T[] => found.filter((one) => !allowed.includes(one));
