import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { JsonLines } from '../../src/kubernetes/json-lines.ts';

test('however a stream is cut into chunks, its lines come whole', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(20)), (texts, cuts) => {
      const written = texts.map((text) => text.replaceAll('\n', ''));
      const bytes = Buffer.from(written.map((line) => `${line}\n`).join(''));
      const lines = new JsonLines();
      const read: string[] = [];
      let start = 0;
      for (const cut of cuts) {
        read.push(...lines.add(bytes.subarray(start, start + cut)));
        start += cut;
      }
      read.push(...lines.add(bytes.subarray(start)));
      return JSON.stringify(read) === JSON.stringify(written);
    }),
  );
});

test('what follows the last line waits for its end', () => {
  const lines = new JsonLines();
  expect([...lines.add(Buffer.from('{"a":1}\n{"b"'))]).toEqual(['{"a":1}']);
  expect([...lines.add(Buffer.from(':2}'))]).toEqual([]);
  expect([...lines.add(Buffer.from('\n'))]).toEqual(['{"b":2}']);
});

test('a line may have 2 MiB, and no more, whole or not', () => {
  const most = Buffer.alloc(2 * 1024 * 1024, 'x');
  const lines = new JsonLines();
  expect([...lines.add(Buffer.concat([most, Buffer.from('\n')]))]).toEqual([most.toString()]);
  expect([...lines.add(most)]).toEqual([]);
  expect(() => [...lines.add(Buffer.from('x'))]).toThrow('longer than 2097152 bytes');
});
