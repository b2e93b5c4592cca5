import { refused, rejected, tokenReview } from '../conformance/expected.ts';
import { KUBERNETES_ISSUER } from '../conformance/issuer.ts';
import type { Scenario } from '../conformance/scenario.ts';

const jane = {
  authenticated: true,
  user: { username: 'jane', uid: 'jane-uid', groups: ['humans', 'system:authenticated'] },
  audiences: [KUBERNETES_ISSUER],
};

export const otherUsers: readonly Scenario[] = [
  {
    name: 'a static token, which we take for no JWT, where the service has no audience of its own',
    needsSecrets: true,
    situation: (scene) => Promise.resolve({ token: scene.secrets.janeToken, audiences: [] }),
    expected: { review: tokenReview([], jane), ...rejected('token_malformed') },
  },
  {
    name: "a static token, asked for the API server's own audience among others",
    needsSecrets: true,
    situation: (scene) => Promise.resolve({ token: scene.secrets.janeToken, audiences: ['orders', KUBERNETES_ISSUER] }),
    expected: { review: tokenReview(['orders', KUBERNETES_ISSUER], jane), ...rejected('token_malformed') },
  },
  {
    name: 'a static token, where the service has an audience of its own',
    needsSecrets: true,
    situation: (scene) => Promise.resolve({ token: scene.secrets.janeToken }),
    expected: refused('invalid bearer token', { code: 'token_malformed' }),
  },
  {
    name: 'a static token in capitals',
    needsSecrets: true,
    situation: (scene) => Promise.resolve({ token: scene.secrets.janeToken.toUpperCase(), audiences: [] }),
    expected: refused('invalid bearer token', { asked: [], code: 'token_malformed' }),
  },
];
