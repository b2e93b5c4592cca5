import type { OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';

/** TLS options, agent and headers for one call. */
export type CallOptions = Omit<RequestOptions, 'headers'> & { headers?: OutgoingHttpHeaders };

/** Where the API server is, and what each call to it needs. */
export interface ApiServerConnection {
  readonly server: URL;
  /**
   * TLS options and headers for the next call: our credential as it is now.
   *
   * @throws {Unavailability} where there is no credential to be had
   */
  requestOptions(): Promise<CallOptions>;
  /** When our own credential was last read from its file, in epoch milliseconds; `undefined` where it comes from none. */
  credentialReadAt?(): number | undefined;
  /** Makes the next call look for credentials anew: the API server did not like these, or not us its own. */
  renew?(): void;
}
