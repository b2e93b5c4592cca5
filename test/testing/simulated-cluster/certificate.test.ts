import { X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createServerCertificate } from '../../../src/testing/simulated-cluster/certificate.ts';

async function make(): Promise<{ ca: X509Certificate; server: X509Certificate; key: string }> {
  const { ca, certificate, key } = await createServerCertificate({
    dnsNames: ['localhost', 'kubernetes.default.svc'],
    addresses: [Uint8Array.of(127, 0, 0, 1), Uint8Array.of(...Array<number>(15).fill(0), 1)],
  });
  return { ca: new X509Certificate(ca), server: new X509Certificate(certificate), key };
}

test('the authority signs itself and the server certificate', async () => {
  const { ca, server } = await make();

  expect(ca.ca).toBe(true);
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect(server.ca).toBe(false);
  expect(server.verify(ca.publicKey)).toBe(true);
  expect(server.checkIssued(ca)).toBe(true);
});

test('the server certificate is for the given names and no others', async () => {
  const { server } = await make();

  expect(server.subjectAltName).toBe(
    'DNS:localhost, DNS:kubernetes.default.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  );
  expect(server.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
  expect(server.checkHost('elsewhere')).toBeUndefined();
  expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(server.checkIP('::1')).toBe('::1');
});

test('the server certificate is valid now, fits the key, and may serve TLS', async () => {
  const { server, key } = await make();

  expect(Date.parse(server.validFrom)).toBeLessThan(Date.now());
  expect(Date.parse(server.validTo)).toBeGreaterThan(Date.now() + 365 * 86_400_000);
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
});

test('the server certificate ends when it is told to, also in the past, and the authority does not', async () => {
  const validUntil = new Date(Date.now() - 3_600_000);
  const made = await createServerCertificate({ dnsNames: ['localhost'], addresses: [] }, { validUntil });
  const [ca, server] = [new X509Certificate(made.ca), new X509Certificate(made.certificate)];

  expect(Date.parse(server.validTo)).toBe(Math.floor(validUntil.getTime() / 1000) * 1000);
  expect(Date.parse(server.validFrom)).toBeLessThan(Date.parse(server.validTo));
  expect(Date.parse(ca.validTo)).toBeGreaterThan(Date.now() + 365 * 86_400_000);
});

test('no two certificates share a serial number or a key', async () => {
  const [one, other] = [await make(), await make()];

  expect(one.server.serialNumber).not.toBe(one.ca.serialNumber);
  expect(one.server.serialNumber).not.toBe(other.server.serialNumber);
  expect(one.key).not.toBe(other.key);
});
