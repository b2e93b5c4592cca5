import { generateKeyPair, type KeyObject, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import * as der from './der.ts';

export interface ServerCertificate {
  /** PEM: the authority that clients must trust. Its key is gone once this is made. */
  readonly ca: string;
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

export interface ServerNames {
  readonly dnsNames: readonly string[];
  /** IP addresses, each as its 4 or 16 bytes. */
  readonly addresses: readonly Uint8Array[];
}

const DAY_MS = 86_400_000;

/** Makes a certificate authority and a server certificate for these names, valid for 10 years unless told otherwise. */
export async function createServerCertificate(
  { dnsNames, addresses }: ServerNames,
  { validUntil = new Date(Date.now() + 3650 * DAY_MS) }: { readonly validUntil?: Date } = {},
): Promise<ServerCertificate> {
  const [authority, server] = await Promise.all([ecKeyPair(), ecKeyPair()]);
  const issuer = 'simulated-cluster-ca';
  const ca = certificate({
    issuer,
    subject: issuer,
    publicKey: authority.publicKey,
    signWith: authority.privateKey,
    validUntil: new Date(Date.now() + 3650 * DAY_MS),
    // RFC 5280, section 4.2.1.9: a CA; section 4.2.1.3: keyCertSign is bit 5.
    extensions: [
      extension('2.5.29.19', true, der.sequence(der.yes())),
      extension('2.5.29.15', true, der.bitString(Buffer.from([0b0000_0100]), 2)),
    ],
  });
  // RFC 5280, section 4.2.1.6: dNSName is [2], iPAddress [7].
  const names = [
    ...dnsNames.map((name) => der.implicit(2, Buffer.from(name))),
    ...addresses.map((address) => der.implicit(7, address)),
  ];
  const own = certificate({
    issuer,
    subject: 'simulated-cluster',
    publicKey: server.publicKey,
    signWith: authority.privateKey,
    validUntil,
    extensions: [
      extension('2.5.29.17', false, der.sequence(...names)),
      extension('2.5.29.37', false, der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.3.1'))), // serverAuth
    ],
  });
  return { ca, certificate: own, key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function ecKeyPair(): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
}

interface Content {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly signWith: KeyObject;
  readonly validUntil: Date;
  readonly extensions: readonly Buffer[];
}

/** RFC 5280, section 4.1. */
function certificate({ issuer, subject, publicKey, signWith, validUntil, extensions }: Content): string {
  const ecdsaWithSha256 = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'));
  const toBeSigned = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))), // version 3
    der.integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    commonName(issuer),
    // TLS clients go by real time, wherever the cluster's clock is moved to.
    der.sequence(der.time(new Date(Math.min(Date.now(), validUntil.getTime()) - DAY_MS)), der.time(validUntil)),
    commonName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(3, der.sequence(...extensions)),
  );
  const signature = sign('sha256', toBeSigned, signWith);
  return pem(der.sequence(toBeSigned, ecdsaWithSha256, der.bitString(signature)));
}

function commonName(name: string): Buffer {
  return der.sequence(der.set(der.sequence(der.objectIdentifier('2.5.4.3'), der.utf8String(name))));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const parts = [der.objectIdentifier(id), ...(critical ? [der.yes()] : []), der.octetString(value)];
  return der.sequence(...parts);
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
