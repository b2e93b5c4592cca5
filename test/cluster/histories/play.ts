import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

import type { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import type { TestCluster } from '../conformance/test-cluster.ts';
import type { ObjectName, Place, Step } from './step.ts';

/**
 * Each step begins at its own moment. No multiple of this is near the 10 s for which an API server remembers a token, so
 * that what is remembered does not hang on who is how fast; and it is longer than its watch of its own store lags.
 */
const tickMs = 650;
const ticksOfAWait = 17;

const named = z.object({ metadata: z.object({ uid: z.string() }) });
const issued = z.object({ status: z.object({ token: z.string() }) });

/**
 * Plays a history, in a namespace of its own.
 *
 * @returns what each step was answered with, in a form that can be compared between clusters
 */
export async function play(cluster: TestCluster, steps: readonly Step[]): Promise<readonly string[]> {
  const player = new Player(cluster.client);
  await player.begin();
  const answers: string[] = [];
  const start = cluster.clock.monotonic();
  let tick = 0;
  for (const step of steps) {
    await until(cluster, start + tick * tickMs);
    tick += step.do === 'wait' ? ticksOfAWait : 1;
    answers.push(await player.take(step));
  }
  return answers;
}

async function until(cluster: TestCluster, moment: number): Promise<void> {
  const rest = moment - cluster.clock.monotonic();
  if (rest > 0) await cluster.elapse(rest);
  // A simulated cluster answers in microtasks and a little I/O: others get their turn.
  await sleep(0);
}

class Player {
  readonly #client: ClusterClient;
  readonly #id = randomBytes(4).toString('hex');
  readonly #namespace = `history-${this.#id}`;
  readonly #uids = new Map<ObjectName, string>();
  readonly #labels = new Map<string, string>();
  readonly #tokens = new Map<Place, string>();

  constructor(client: ClusterClient) {
    this.#client = client;
  }

  async begin(): Promise<void> {
    await this.#client.createNamespace(this.#namespace);
  }

  async take(step: Step): Promise<string> {
    switch (step.do) {
      case 'create':
        return this.#create(step.object);
      case 'delete':
        return this.#call('DELETE', `${this.#collection(step.object)}/${this.#nameOf(step.object)}`, {
          gracePeriodSeconds: 0,
        });
      case 'bind':
        return this.#bind(step);
      case 'review':
        return this.#review(step);
      default:
        return 'waited';
    }
  }

  async #create(object: ObjectName): Promise<string> {
    const { status, body } = await this.#client.request('POST', this.#collection(object), this.#content(object));
    const created = named.safeParse(body);
    if (status !== 201 || !created.success) return this.#comparable(status, body);
    const { uid } = created.data.metadata;
    this.#uids.set(object, uid);
    const times = [...this.#labels.values()].filter((label) => label.startsWith(`<${object} `)).length;
    this.#labels.set(uid, `<${object} #${times + 1}>`);
    return '201';
  }

  async #bind({ object, audience, place }: Extract<Step, { do: 'bind' }>): Promise<string> {
    const account = object === 'sa-b' || object === 'pod-b' ? 'sa-b' : 'sa-a';
    const kind = kinds[object];
    const { status, body } = await this.#client.request('POST', `${this.#collection(account)}/${account}/token`, {
      spec: {
        ...(audience !== undefined && { audiences: [audience] }),
        ...(kind !== 'ServiceAccount' && {
          boundObjectRef: { kind, apiVersion: 'v1', name: this.#nameOf(object), uid: this.#uids.get(object) },
        }),
      },
    });
    const answer = issued.safeParse(body);
    if (status !== 201 || !answer.success) return this.#comparable(status, body);
    this.#tokens.set(place, answer.data.status.token);
    return '201';
  }

  async #review({ place, audiences }: Extract<Step, { do: 'review' }>): Promise<string> {
    const token = this.#tokens.get(place);
    if (token === undefined) return 'no token';
    const { status, body } = await this.#client.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      spec: { token, audiences },
    });
    return this.#comparable(status, z.looseObject({ status: z.unknown() }).parse(body).status);
  }

  async #call(method: string, path: string, body: unknown): Promise<string> {
    const answer = await this.#client.request(method, path, body);
    return answer.status < 300 ? String(answer.status) : this.#comparable(answer.status, answer.body);
  }

  /** Without what is another on each cluster: names of its own, uids, credential IDs. */
  #comparable(status: number, body: unknown): string {
    let text = JSON.stringify(body).replaceAll(this.#id, '<id>');
    for (const [uid, label] of this.#labels) text = text.replaceAll(uid, label);
    return `${status} ${text.replaceAll(/JTI=[0-9a-f-]{36}/g, 'JTI=<jti>')}`;
  }

  #collection(object: ObjectName): string {
    const kind = kinds[object];
    return kind === 'Node' ? '/api/v1/nodes' : `/api/v1/namespaces/${this.#namespace}/${kind.toLowerCase()}s`;
  }

  /** Nodes belong to no namespace. */
  #nameOf(object: ObjectName): string {
    return kinds[object] === 'Node' ? `${object}-${this.#id}` : object;
  }

  #content(object: ObjectName): object {
    const kind = kinds[object];
    const meta = { apiVersion: 'v1', kind, metadata: { name: this.#nameOf(object) } };
    if (kind !== 'Pod') return meta;
    return {
      ...meta,
      spec: {
        serviceAccountName: object === 'pod-b' ? 'sa-b' : 'sa-a',
        automountServiceAccountToken: false,
        nodeName: this.#nameOf('node-a'),
        containers: [{ name: 'main', image: 'pause' }],
      },
    };
  }
}

const kinds: Readonly<Record<ObjectName, 'ServiceAccount' | 'Pod' | 'Node' | 'Secret'>> = {
  'sa-a': 'ServiceAccount',
  'sa-b': 'ServiceAccount',
  'pod-a': 'Pod',
  'pod-b': 'Pod',
  'node-a': 'Node',
  'secret-a': 'Secret',
};
