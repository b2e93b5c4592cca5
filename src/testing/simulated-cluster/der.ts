/**
 * The few ASN.1 DER encodings (ITU-T X.690) that an X.509 certificate is made of. Each function returns a whole
 * tag-length-value.
 */
export function tlv(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), length(content.length), content]);
}

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const bytes = Buffer.from(size.toString(16).padStart(size > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

export function set(...parts: readonly Uint8Array[]): Buffer {
  return tlv(0x31, Buffer.concat(parts));
}

/** `magnitude` is a positive number, big-endian. */
export function integer(magnitude: Uint8Array): Buffer {
  const negative = Buffer.from(magnitude).readInt8(0) < 0;
  return tlv(0x02, negative ? Buffer.concat([Buffer.from([0]), magnitude]) : magnitude);
}

/** BOOLEAN TRUE; DER leaves out what is FALSE by default. */
export function yes(): Buffer {
  return tlv(0x01, Buffer.from([0xff]));
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tlv(0x03, Buffer.concat([Buffer.from([unusedBits]), bytes]));
}

export function octetString(bytes: Uint8Array): Buffer {
  return tlv(0x04, bytes);
}

export function utf8String(text: string): Buffer {
  return tlv(0x0c, Buffer.from(text));
}

/** `dotted` such as `2.5.4.3`. */
export function objectIdentifier(dotted: string): Buffer {
  const arcs = dotted.split('.').map(Number);
  const firstTwo = arcs.splice(0, 2).reduce((first, second) => first * 40 + second);
  return tlv(0x06, Buffer.from([firstTwo, ...arcs.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

/** GeneralizedTime with whole seconds in UTC. */
export function time(date: Date): Buffer {
  return tlv(0x18, Buffer.from(`${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`));
}

/** `[tag]` around something: constructed, explicit. */
export function explicit(tag: number, content: Uint8Array): Buffer {
  return tlv(0xa0 | tag, content);
}

/** `[tag]` instead of a primitive's own tag: implicit. */
export function implicit(tag: number, content: Uint8Array): Buffer {
  return tlv(0x80 | tag, content);
}
