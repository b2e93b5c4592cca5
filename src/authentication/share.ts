import type { ObjectReference } from './service-account-identity.ts';
import type { Share } from './reviewer.ts';

interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly pod?: ObjectReference | undefined;
}

/** Kubernetes' names are at most 253 characters long; the bound keeps shares small whatever a signer signs. */
const maxNameLength = 253;

/**
 * With whom a token shares: verified ones by their ServiceAccount and, within it, their Pod; the others by the peer that
 * sends them. However many peers there are, verified tokens have every second turn; and since whoever administers a
 * namespace makes any number of ServiceAccounts, those of one namespace share as well.
 *
 * @param account what the token claims, where its claims are verified
 */
export function shareOf(account: Account | undefined, peer: string): Share {
  if (account === undefined) return ['unverified', peer];
  const { namespace, name, pod } = account;
  const parts = [namespace, name, pod?.uid ?? ''];
  return ['verified', ...parts.map((part) => part.slice(0, maxNameLength))];
}
