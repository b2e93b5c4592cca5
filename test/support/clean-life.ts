import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthenticator, type KubeConfigLike } from '../../src/index.ts';

// Lives the life that its argument names, says what came of it, and then has nothing more to do: its end is its own.
const { SERVER = '', CA = '', CREDENTIAL = '', TOKENS = '' } = process.env;
const kubeConfig: KubeConfigLike = {
  getCurrentCluster: () => ({ server: SERVER }),
  applyToHTTPSOptions: (options) => {
    Object.assign(options, { ca: CA, headers: { authorization: `Bearer ${CREDENTIAL}` } });
  },
};
const life = process.argv[2] ?? '';
/** Whoever watches is asked about a right too, so that rights are watched as well. */
const isWatching = life.endsWith('while watching');
const authenticator = createAuthenticator({
  audiences: 'orders',
  kubeConfig,
  log: false,
  // Short where it is waited for; else so long that no machine is too slow.
  review: { timeoutMs: life === 'closed while waiting' ? 1_000 : 20_000 },
  revocation: isWatching ? 'watch' : 'none',
});

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;
async function outcomeOf(token: string): Promise<unknown> {
  try {
    const identity = await authenticator.authenticate(token);
    if (isWatching) await authenticator.allowed(identity, { verb: 'get', path: '/' });
    return identity.name;
  } catch (error) {
    return codeOf(error);
  }
}
const ready = (): Promise<unknown> => authenticator.ready().then(() => 'ready', codeOf);
const tokens = TOKENS.split(' ');
const later = tokens[0] ?? '';

function left(): { sockets: number; timers: number } {
  const resources = process.getActiveResourcesInfo();
  return {
    sockets: resources.filter((resource) => /^(TCP|TLS)/.test(resource)).length,
    timers: resources.filter((resource) => resource === 'Timeout').length,
  };
}

async function live(): Promise<object> {
  switch (life) {
    case 'used while watching':
    case 'used':
      return { outcomes: await Promise.all(tokens.map(outcomeOf)) };
    case 'closed while watching':
    case 'closed': {
      const outcomes = await Promise.all(tokens.map(outcomeOf));
      await authenticator.close();
      await closedSockets();
      return { outcomes, later: await outcomeOf(later), left: left() };
    }
    case 'closed while waiting': {
      const becomingReady = ready();
      // Its deadline passes before theirs, and so before all is closed.
      await sleep(100);
      const waiting = Promise.all(tokens.map(outcomeOf));
      await sleep(100);
      const [, outcomes, wasReady] = await Promise.all([authenticator.close(), waiting, becomingReady]);
      await closedSockets();
      return { outcomes, ready: wasReady, later: await outcomeOf(later), left: left() };
    }
    case 'closed before it is ready': {
      const waiting = ready();
      await sleep(200);
      await authenticator.close();
      const wasReady = await waiting;
      await closedSockets();
      return { ready: wasReady, later: await outcomeOf(later), left: left() };
    }
    default:
      throw new Error(`There is no life ${life}`);
  }
}

/** The system tells of a closed socket in a later turn of the event loop. */
const closedSockets = (): Promise<void> => new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));

process.stdout.write(JSON.stringify(await live()));
