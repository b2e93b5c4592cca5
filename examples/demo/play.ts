import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callOrders } from '../orders-service/call-orders.ts';
import { claimsOf, forgedToken } from './forged-token.ts';
import type { Show } from './show.ts';
import type { Stage } from './stage.ts';

/** Callers, good and bad, one after the other. */
export async function play(stage: Stage, show: Show): Promise<void> {
  const { cluster, workloads, shop, url } = stage;
  const billing = await workloads.createNamespace('billing', 'report');
  const node = await workloads.someNode();
  const web1 = await workloads.createPod(shop, 'web', 'web-1');
  const token = await web1.token();

  show.section('Welcome');
  const asWeb1 = { status: '200', told: '', known: `${shop}/web, Pod web-1` };
  await show.scene({ caller: 'Pod web-1 in shop', path: '/orders/7', token, expect: { ...asWeb1, reviews: 1 } });
  await show.scene({ caller: '  again: from the cache', path: '/orders/8', token, expect: { ...asWeb1, reviews: 0 } });
  await show.scene({
    caller: '  may refund, as shop/web',
    method: 'POST',
    path: '/refunds',
    token,
    expect: { ...asWeb1, status: '201', reviews: 0 },
  });
  await withTokenFile(await web1.token(), async (tokenFile) => {
    await show.scene({
      caller: '  after its token file rotated',
      path: '/orders/9',
      send: () => callOrders('/orders/9', { url, tokenFile }),
      expect: { ...asWeb1, reviews: 1 },
    });
  });
  const agent = await workloads.createPod(shop, 'agent', 'agent-1', node);
  const agentToken = await agent.token();
  await show.scene({
    caller: `Agent on Node ${node}`,
    path: `/nodes/${node}/orders`,
    token: agentToken,
    expect: { status: '200', told: '', known: `${shop}/agent, Node ${node}`, reviews: 1 },
  });
  await show.scene({
    caller: 'Anybody, on a public route',
    path: '/catalogue',
    expect: { status: '200', told: '', known: 'anonymous', reviews: 0 },
  });
  const web2 = await workloads.createPod(shop, 'web', 'web-2');
  const web2Token = await web2.token();
  await show.scene({
    caller: 'Pod web-2, a hundred at once',
    path: '/orders/7',
    token: web2Token,
    times: 100,
    expect: { status: '100 × 200', told: '', known: `${shop}/web, Pod web-2`, reviews: 1 },
  });

  show.section('Known, but not allowed');
  const report = await workloads.createPod(billing, 'report', 'report-1');
  const forbidden = { status: '403', told: 'insufficient_scope' };
  await show.scene({
    caller: 'Pod of another namespace',
    path: '/orders/7',
    token: await report.token(),
    expect: { ...forbidden, known: `${billing}/report, but the route wants namespace ${shop}`, reviews: 1 },
  });
  await show.scene({
    caller: 'Token of shop/web without a Pod',
    path: '/orders/7',
    token: await workloads.serviceAccountToken(shop, 'web', 'orders'),
    expect: { ...forbidden, known: `${shop}/web, but the route wants a Pod-bound token`, reviews: 1 },
  });
  await show.scene({
    caller: `Agent, asking for another Node`,
    path: '/nodes/node-z/orders',
    token: agentToken,
    expect: { ...forbidden, known: `${shop}/agent, but the route wants Node named by the request`, reviews: 0 },
  });

  show.section('Bad credentials');
  const invalid = { status: '401', told: 'invalid_token' };
  await show.scene({
    caller: 'Token for another service',
    path: '/orders/7',
    token: await web1.token('billing'),
    expect: { ...invalid, known: 'wrong_audience: its audiences are ["billing"]', reviews: 0 },
  });
  const past = expiredClaims(cluster.clock.now());
  await show.scene({
    caller: 'Expired token',
    path: '/orders/7',
    token: cluster.signToken?.({ ...claimsOf(token), ...past }) ?? forgedToken(token, past),
    expect: { ...invalid, known: 'token_expired: expired ', reviews: 0 },
  });
  await show.scene({
    caller: 'Forged: signed by another key',
    path: '/orders/7',
    token: forgedToken(await report.token(), claimsOf(token)),
    expect: { ...invalid, known: 'token_forged: ', reviews: 0 },
  });
  await show.scene({
    caller: 'No token',
    path: '/orders/7',
    expect: { status: '401', told: 'bare challenge', known: 'no_credentials: ', reviews: 0 },
  });
  await show.scene({
    caller: 'Malformed header',
    path: '/orders/7',
    authorization: 'Bearer two tokens',
    expect: { status: '400', told: 'invalid_request', known: 'malformed_credentials: ', reviews: 0 },
  });

  show.section('The API server is down');
  const web3 = await workloads.createPod(shop, 'web', 'web-3');
  const web3Token = await web3.token();
  const mend = cluster.cutOff();
  await show.scene({ caller: 'Pod web-1, in the cache', path: '/orders/7', token, expect: { ...asWeb1, reviews: 0 } });
  await show.scene({
    caller: 'Pod web-3, not seen before',
    path: '/orders/7',
    token: web3Token,
    // A review that does not get through is tried again three times.
    expect: { status: '503', told: 'Retry-After: 1', known: 'api_server_unreachable: ', reviews: 1, received: 4 },
  });
  mend();
  const asWeb3 = { status: '200', told: '', known: `${shop}/web, Pod web-3` };
  await show.scene({
    caller: '  once the API server is back',
    path: '/orders/7',
    token: web3Token,
    expect: { ...asWeb3, reviews: 1 },
  });

  show.section('A Pod is deleted: an identity is used for up to a minute after its review');
  await web2.delete();
  await show.scene({
    caller: 'Pod web-2, just deleted: cached',
    path: '/orders/7',
    token: web2Token,
    expect: { status: '200', told: '', known: `${shop}/web, Pod web-2`, reviews: 0 },
  });
  await cluster.letAMinutePass();
  await show.scene({
    caller: '  a minute later',
    path: '/orders/7',
    token: web2Token,
    expect: { ...invalid, known: 'token_refused: ', reviews: 1 },
  });
  await show.scene({
    caller: 'Pod web-3, still there',
    path: '/orders/7',
    token: web3Token,
    expect: { ...asWeb3, reviews: 1 },
  });
}

function expiredClaims(now: number): { readonly iat: number; readonly nbf: number; readonly exp: number } {
  const exp = Math.floor(now / 1000) - 3_600;
  return { iat: exp - 3_600, nbf: exp - 3_600, exp };
}

/** Where a projected token volume would have it. */
async function withTokenFile(token: string, use: (tokenFile: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'orders-demo-'));
  try {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, token, { mode: 0o600 });
    await use(tokenFile);
  } finally {
    await rm(folder, { recursive: true });
  }
}
