// Serves until SIGTERM. PORT, AUDIENCE and SHOP_NAMESPACE configure it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createAuthenticator } from 'k8s-service-account-auth';
import { serveOrderUpdates } from './order-updates.ts';
import { ordersService } from './service.ts';

const { PORT = '8080', AUDIENCE = 'orders', SHOP_NAMESPACE = 'shop' } = process.env;

const authenticator = createAuthenticator({ audiences: AUDIENCE, revocation: 'watch' });

// Callers learn little of why they were refused; this is where to look it up.
const log = (entry: object): void => console.log(JSON.stringify({ time: new Date().toISOString(), ...entry }));
authenticator.on('rejected', (rejection) => log({ event: 'rejected', ...rejection }));
authenticator.on('unavailable', (unavailability) => log({ event: 'unavailable', ...unavailability }));
authenticator.on('refused', ({ guard, identity }) =>
  log({ event: 'refused', guard, caller: identity.username, credentialId: identity.credentialId }),
);
authenticator.on('revoked', ({ kind, uid, identities }) =>
  log({ event: 'revoked', kind, uid, callers: identities.length }),
);

// Before listening, so that a replica whose reviewer lacks its rights never becomes ready, and its log says why.
await authenticator.ready();

const server = createServer();
const { publish, close } = serveOrderUpdates(server, authenticator, SHOP_NAMESPACE);
server.on('request', ordersService({ authenticator, shopNamespace: SHOP_NAMESPACE, publish }));
server.listen(Number(PORT));
await once(server, 'listening');
log({ event: 'listening', address: server.address() });

await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
// First the requests that are running, then what they need.
server.close();
close();
await once(server, 'close');
await authenticator.close();
