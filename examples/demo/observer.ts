import type { Authenticator } from 'k8s-service-account-auth';

/** What an operator sees of the requests since it was last asked: the reasons of refusals, and the reviews. */
export class Observer {
  readonly #reasons: string[] = [];
  #reviews = 0;

  constructor(authenticator: Authenticator) {
    authenticator.on('reviewed', () => {
      this.#reviews += 1;
    });
    authenticator.on('rejected', ({ code, reason }) => this.#reasons.push(`${code}: ${reason}`));
    authenticator.on('unavailable', ({ code, reason }) => this.#reasons.push(`${code}: ${reason}`));
    authenticator.on('refused', ({ guard, identity }) =>
      this.#reasons.push(`${identity.namespace}/${identity.name}, but the route wants ${guard}`),
    );
  }

  take(): { readonly reason: string | undefined; readonly reviews: number } {
    const seen = { reason: this.#reasons[0], reviews: this.#reviews };
    this.#reasons.length = 0;
    this.#reviews = 0;
    return seen;
  }
}
