import { Unavailability } from '../authentication/reviewer.ts';

const newline = 0x0a;

/** Larger than any object that etcd takes (1.5 MiB). */
const maxLineBytes = 2 * 1024 * 1024;

/** Cuts a stream into lines, holding no more than one that is not whole yet. */
export class JsonLines {
  #parts: Buffer[] = [];
  #bytes = 0;

  /**
   * The lines that are whole with that chunk.
   *
   * @throws {Unavailability} where a line is too long
   */
  *add(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#hold(chunk.subarray(start, end));
      yield this.#whole();
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
  }

  #hold(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > maxLineBytes) {
      throw new Unavailability('answer_invalid', `An event of the watch is longer than ${maxLineBytes} bytes`);
    }
    if (part.length > 0) this.#parts.push(part);
  }

  #whole(): string {
    const [first, ...others] = this.#parts;
    const line = others.length === 0 ? first?.toString('utf8') : Buffer.concat(this.#parts).toString('utf8');
    this.#parts = [];
    this.#bytes = 0;
    return line ?? '';
  }
}
