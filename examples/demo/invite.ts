import type { Stage } from './stage.ts';

/** Prints curl lines for the callers that are there, then what the operator sees of each request. */
export async function invite(
  { workloads, authenticator, shop, url }: Stage,
  say: (line: string) => void,
): Promise<void> {
  const pod = await workloads.createPod(shop, 'web', 'web-you');
  const call = (path: string, token?: string): void =>
    say(`curl -i ${token === undefined ? '' : `-H 'Authorization: Bearer ${token}' `}${url}${path}`);
  say(`\nThe service listens on ${url}. Be one of its callers:\n`);
  say(`# Pod web-you of ${shop}: 200`);
  call('/orders/7', await pod.token());
  say(`\n# ${shop}/web without a Pod: 403`);
  call('/orders/7', await workloads.serviceAccountToken(shop, 'web', 'orders'));
  say('\n# the Pod, with its token for another service: 401');
  call('/orders/7', await pod.token('billing'));
  say('\n# nobody: 401, and a route for everybody: 200');
  call('/orders/7');
  call('/catalogue');
  say('\n# what the service knows of its reviewer');
  call('/readyz');
  say('\nThe tokens are good for two hours. Ctrl-C ends it. What the operator sees:\n');

  authenticator.on('reviewed', ({ outcome, durationMs }) =>
    say(`reviewed     ${outcome}, in ${durationMs.toFixed(1)} ms`),
  );
  authenticator.on('rejected', ({ code, reason }) => say(`rejected     ${code}: ${reason}`));
  authenticator.on('refused', ({ guard, identity }) => say(`refused      ${identity.username}: wants ${guard}`));
  authenticator.on('unavailable', ({ code, reason }) => say(`unavailable  ${code}: ${reason}`));
}
