import { readFile } from 'node:fs/promises';

export interface OrdersAddress {
  /** `http://orders.orders.svc` */
  readonly url: string;
  /** Where the projected token volume is mounted. */
  readonly tokenFile: string;
}

/** Calls the orders service as the Pod this runs in. */
export async function callOrders(path: string, { url, tokenFile }: OrdersAddress): Promise<Response> {
  // Read for every call: the kubelet replaces the file long before the token in it expires (when 80 % of its life is
  // over), so a token kept in memory works in every test and fails after an hour in production.
  const token = (await readFile(tokenFile, 'utf8')).trim();
  return fetch(new URL(path, url), {
    headers: { authorization: `Bearer ${token}` },
    // The token is for this service and nobody it may point to.
    redirect: 'error',
    signal: AbortSignal.timeout(10_000),
  });
}
