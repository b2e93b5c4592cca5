// Who floods: sends tokens that each come once, at a steady rate, from one address.
import { createPrivateKey, randomBytes } from 'node:crypto';
import { constants, setPriority } from 'node:os';
import { signToken } from '../../src/testing/simulated-cluster/sign-token.ts';
import { answerQuestions } from './child.ts';
import { outcomeOf, paced, RawConnections } from './raw-connection.ts';

export interface FloodQuestion {
  readonly port: number;
  readonly localAddress: string;
  readonly tokens: number;
  readonly perSecond: number;
  readonly forgery: Forgery;
}

export interface Forgery {
  /** The header of each token; `random` as its `kid` is another one each time. */
  readonly header: { readonly alg: string; readonly kid: string };
  /** The claims of each in turn. */
  readonly claims: readonly object[];
  /** PEM of the key that signs; without one the signature is random. */
  readonly privateKey?: string;
}

export interface FloodAnswer {
  readonly tookMs: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Enough for a service that takes 100 ms; past it the flood is not as fast as it should be, and says so. */
const maxConnections = 512;
/** As long as an RS256 signature of a 2048-bit key. */
const signatureBytes = 256;

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
let serial = 0;

function forge({ header, claims, privateKey }: Forgery): string {
  serial += 1;
  const own = { ...claims[serial % claims.length], serial: `${process.pid}-${serial}` };
  const named = header.kid === 'random' ? { ...header, kid: randomBytes(16).toString('base64url') } : header;
  if (privateKey !== undefined) return signToken(named, own, keyOf(privateKey));
  return `${encoded(named)}.${encoded(own)}.${randomBytes(signatureBytes).toString('base64url')}`;
}

const keys = new Map<string, ReturnType<typeof createPrivateKey>>();
function keyOf(pem: string): ReturnType<typeof createPrivateKey> {
  const key = keys.get(pem) ?? createPrivateKey(pem);
  keys.set(pem, key);
  return key;
}

async function flood({ port, localAddress, tokens, perSecond, forgery }: FloodQuestion): Promise<FloodAnswer> {
  const connections = new RawConnections(port, localAddress, maxConnections);
  const outcomes: Record<string, number> = {};
  const began = performance.now();
  const sent: Promise<void>[] = [];
  const send = (): void => {
    const connection = connections.idle();
    if (connection === undefined) return;
    sent.push(
      connection.get(forge(forgery)).then((answer) => {
        const outcome = outcomeOf(answer);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }),
    );
  };
  await paced(perSecond, () => sent.length >= tokens, send);
  await Promise.all(sent);
  connections.close();
  return { tookMs: performance.now() - began, outcomes };
}

// On a machine of its own it would take no CPU from whom it floods.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
answerQuestions(flood);
