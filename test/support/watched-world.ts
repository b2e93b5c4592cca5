import { type AuthenticatorParts, CoreAuthenticator } from '../../src/authentication/authenticator.ts';
import type { AuthenticatorEvents } from '../../src/authentication/events.ts';
import type { NodeDirectory } from '../../src/authentication/node-directory.ts';
import { FakeClock } from './fake-clock.ts';
import { ScriptedReviewer } from './scripted-reviewer.ts';
import { ScriptedWatch } from './scripted-watch.ts';
import { audience, podToken } from './tokens.ts';

export interface World {
  readonly clock: FakeClock;
  readonly reviewer: ScriptedReviewer;
  readonly watch: ScriptedWatch;
  readonly authenticator: CoreAuthenticator;
  readonly token: string;
  readonly revoked: AuthenticatorEvents['revoked'][];
  /** Whether the token is good, by the code of the error that it meets. */
  readonly outcome: (token?: string) => Promise<unknown>;
}

export interface Rules {
  readonly nodes?: NodeDirectory;
  readonly refuseTerminating?: boolean;
  readonly parts?: Partial<AuthenticatorParts>;
}

export const started: number = new FakeClock().monotonic();

/** Watches without a gap since long ago, unless a test says otherwise. */
export function world({ parts = {}, ...rules }: Rules = {}): World {
  const clock = new FakeClock();
  const reviewer = new ScriptedReviewer();
  const watch = new ScriptedWatch();
  watch.cover({ since: started - 60_000, provenAt: started });
  const authenticator = new CoreAuthenticator({
    reviewer,
    revocation: { source: watch, ...rules },
    audiences: [audience],
    maxEntries: 100,
    signatures: undefined,
    lifetimes: { maxAgeMs: 60_000, absoluteMaxAgeMs: 600_000, rejectionMaxAgeMs: 10_000, staleIfUnavailableMs: 0 },
    clock,
    log: () => {},
    random: () => 0,
    ...parts,
  });
  const revoked: AuthenticatorEvents['revoked'][] = [];
  authenticator.on('revoked', (payload) => revoked.push(payload));
  const token = podToken(clock);
  const outcome = async (asked = token): Promise<unknown> => {
    try {
      return (await authenticator.authenticate(asked)).name;
    } catch (error) {
      return (error as { code: unknown }).code;
    }
  };
  return { clock, reviewer, watch, authenticator, token, revoked, outcome };
}
