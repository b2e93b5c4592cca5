import { type FieldType, type Message, MESSAGES } from './messages.ts';

/** What stands before each object: runtime.Unknown with its TypeMeta, after four bytes of magic. */
const MAGIC = Buffer.from('k8s\0');
const ENVELOPE: Message = { 1: ['type', { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] }], 2: ['raw', 'bytes'] };

/**
 * The object in a body of the type `application/vnd.kubernetes.protobuf`, as JSON has it; undefined if it is none, or of
 * a kind that is only taken as JSON.
 */
export function readProtobuf(body: Buffer): Record<string, unknown> | undefined {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  try {
    const { type, raw } = message(body.subarray(MAGIC.length), ENVELOPE);
    const { kind, apiVersion } = Object(type) as { kind?: unknown; apiVersion?: unknown };
    const fields = MESSAGES[String(kind)];
    if (!fields || !(raw instanceof Uint8Array)) return undefined;
    return { kind, apiVersion, ...message(Buffer.from(raw), fields) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** https://protobuf.dev/programming-guides/encoding. Throws a RangeError where the bytes end too early. */
function message(bytes: Buffer, fields: Message): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const value = reader.value(Number(tag & 7n));
    const [name, type] = fields[Number(tag >> 3n)] ?? [];
    if (name === undefined || type === undefined) continue;
    if (isRepeated(type)) {
      const list = (result[name] ??= []);
      if (Array.isArray(list)) list.push(decoded(value, type[0]));
    } else if (type === 'map' || type === 'bytesMap') {
      const entry = message(bytesOf(value), { 1: ['key', 'text'], 2: ['value', type === 'map' ? 'text' : 'bytes'] });
      const text =
        entry['value'] instanceof Uint8Array ? Buffer.from(entry['value']).toString('base64') : entry['value'];
      result[name] = { ...Object(result[name]), [typeof entry['key'] === 'string' ? entry['key'] : '']: text ?? '' };
    } else {
      const content = decoded(value, type);
      // Go writes empty strings too; as JSON it would have left them out.
      if (content !== '') result[name] = content;
    }
  }
  return result;
}

function isRepeated(type: FieldType | readonly [FieldType]): type is readonly [FieldType] {
  return Array.isArray(type);
}

function decoded(value: bigint | Buffer, type: FieldType): unknown {
  switch (type) {
    case 'text':
      return bytesOf(value).toString();
    case 'bytes':
      return bytesOf(value);
    case 'integer':
      return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0;
    case 'boolean':
      return value !== 0n;
    case 'time':
    case 'map':
    case 'bytesMap':
      return ''; // a time in what is sent is the server's to write; maps are read entry by entry
    default:
      return message(bytesOf(value), type);
  }
}

function bytesOf(value: bigint | Buffer): Buffer {
  if (typeof value === 'bigint') throw new RangeError('a number stands where bytes should');
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#position);
      this.#position += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  value(wireType: number): bigint | Buffer {
    switch (wireType) {
      case 0:
        return this.varint();
      case 1:
        return this.#take(8);
      case 2:
        return this.#take(Number(this.varint()));
      case 5:
        return this.#take(4);
      default:
        throw new RangeError(`There is no wire type ${wireType}`);
    }
  }

  #take(length: number): Buffer {
    const end = this.#position + length;
    if (end > this.#bytes.length) throw new RangeError('The message ends too early');
    const part = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return part;
  }
}
