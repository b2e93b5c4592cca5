// Asks for an order every few seconds, as a Pod. ORDERS_URL, ORDERS_PATH and ORDERS_TOKEN_FILE configure it.
import { setTimeout as sleep } from 'node:timers/promises';
import { callOrders } from './call-orders.ts';

const {
  ORDERS_URL = 'http://orders.orders.svc',
  ORDERS_PATH = '/orders/7',
  ORDERS_TOKEN_FILE = '/var/run/secrets/orders/token',
} = process.env;
const pauseSeconds = 10;

process.once('SIGTERM', () => process.exit());
for (;;) {
  await sleep((await askForOrder()) * 1000);
}

/** Returns after how many seconds to ask again. */
async function askForOrder(): Promise<number> {
  try {
    const response = await callOrders(ORDERS_PATH, { url: ORDERS_URL, tokenFile: ORDERS_TOKEN_FILE });
    console.log(response.status, await response.text());
    // 503: the service could not find out who we are. Nothing is wrong with the token.
    return Number(response.headers.get('retry-after') ?? pauseSeconds);
  } catch (error) {
    console.error('The orders service cannot be called:', error);
    return pauseSeconds;
  }
}
