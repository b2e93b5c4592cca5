/** Kubernetes' DNS-1123 label: what namespaces are called. */
const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

export const isLabel = (text: string): boolean => text.length <= 63 && label.test(text);

const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Kubernetes' DNS-1123 subdomain: what ServiceAccounts, Pods, Nodes and API groups are called. */
export const isSubdomain = (text: string): boolean => text.length <= 253 && subdomain.test(text);

/** In Kubernetes' words. */
export const subdomainRule: string =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
  "with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
