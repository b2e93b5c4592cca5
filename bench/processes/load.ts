// Sends requests, from a process of its own.
import { Agent, request } from 'node:http';
import autocannon from 'autocannon';
import { answerParent } from '../child.ts';

export interface Load {
  readonly url: string;
  /** Each connection takes its part of them, one after the other. */
  readonly tokens: readonly string[];
  readonly connections: number;
  /** How many requests a connection has under way at once. */
  readonly pipelining?: number;
  /** Either for that many seconds, or that many requests. */
  readonly seconds?: number;
  readonly amount?: number;
  readonly expectedStatus: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
}

interface Pace {
  readonly url: string;
  readonly tokens: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
}

const headersOf = (token: string | undefined): { authorization: string } => ({ authorization: `Bearer ${token}` });

const answers = {
  /** As many requests as the service can take. */
  run: async ({ url, tokens, connections, pipelining, seconds, amount, expectedStatus }: Load): Promise<LoadResult> => {
    let connection = 0;
    const started = performance.now();
    const result = await autocannon({
      url,
      connections,
      ...(pipelining !== undefined && { pipelining }),
      ...(seconds !== undefined && { duration: seconds }),
      ...(amount !== undefined && { amount }),
      timeout: 60,
      // It looks at the time this often, in milliseconds.
      sampleInt: 100,
      headers: headersOf(tokens[0]),
      ...(tokens.length > 1 && {
        setupClient: (client) => {
          const own = tokens.filter((_, index) => index % connections === connection % connections);
          connection += 1;
          client.setRequests(own.map((token) => ({ method: 'GET' as const, headers: headersOf(token) })));
        },
      }),
    });
    const elapsed = (performance.now() - started) / 1000;
    const { errors, timeouts, statusCodeStats } = result;
    const others = Object.entries(statusCodeStats ?? {}).filter(([status]) => status !== String(expectedStatus));
    if (errors > 0 || timeouts > 0 || others.length > 0) {
      throw new Error(
        `${url}: ${errors} errors, ${timeouts} timeouts, and ${JSON.stringify(Object.fromEntries(others))}`,
      );
    }
    const requests = statusCodeStats?.[`${expectedStatus}`]?.count ?? 0;
    if (requests === 0) throw new Error(`${url}: no response at all`);
    return { requests, perSecond: requests / elapsed };
  },
  /** Requests at a steady pace, however slow the answers are; what each took, in milliseconds. */
  pace: async ({ url, tokens, perSecond, seconds }: Pace): Promise<readonly number[]> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 256, scheduling: 'lifo' });
    const latencies: Promise<number>[] = [];
    const started = performance.now();
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const elapsed = performance.now() - started;
        const due = Math.min(elapsed / 1000, seconds) * perSecond;
        while (latencies.length < due) {
          latencies.push(latency(url, tokens[latencies.length % tokens.length], agent));
        }
        if (elapsed < seconds * 1000) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
    try {
      return await Promise.all(latencies);
    } finally {
      agent.destroy();
    }
  },
};
export type LoadAnswers = typeof answers;

function latency(url: string, token: string | undefined, agent: Agent): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers: headersOf(token) }, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - started);
        else reject(new Error(`${url}: ${response.statusCode}`));
      });
    });
    sent.once('error', reject);
    sent.end();
  });
}

answerParent(answers);
