import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parseSync } from '@swc/core';
import { checkSync } from 'recheck';

// recheck is pure JavaScript then, without a process of its own.
process.env['RECHECK_SYNC_BACKEND'] = 'pure';

const root = fileURLToPath(new URL('../../src/', import.meta.url));

interface Node {
  readonly type?: unknown;
  readonly pattern?: unknown;
  readonly flags?: unknown;
  readonly value?: unknown;
}

function nodesOf(value: unknown): Node[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(nodesOf)];
}

const nodes = globSync('**/*.ts', { cwd: root, exclude: ['testing/**'] }).flatMap((file) =>
  nodesOf(parseSync(readFileSync(join(root, file), 'utf8'), { syntax: 'typescript', target: 'es2024' })).map(
    (node) => ({ file, node }),
  ),
);

const literals = nodes
  .filter(({ node }) => node.type === 'RegExpLiteral')
  .map(({ file, node }) => ({ file, pattern: String(node.pattern), flags: String(node.flags) }));

test('the check tells slow regular expressions from fast ones', () => {
  expect(checkSync('^(a|a)*$', '')).toMatchObject({ status: 'vulnerable', complexity: { type: 'exponential' } });
  expect(checkSync('^a*a*$', '')).toMatchObject({ status: 'vulnerable', complexity: { type: 'polynomial' } });
  expect(checkSync('^a*$', '')).toMatchObject({ status: 'safe', complexity: { type: 'linear' } });
});

test('every regular expression is a literal, where this test sees it', () => {
  expect(nodes.filter(({ node }) => node.type === 'Identifier' && node.value === 'RegExp')).toEqual([]);
  expect(literals.map(({ file }) => file)).toEqual(
    expect.arrayContaining([
      'authentication/bearer-token.ts',
      'authentication/kubernetes-names.ts',
      'express/k8s-service-account-auth.ts',
      'kubernetes/scrub.ts',
    ]),
  );
});

/**
 * A count such as `{64,}` needs an automaton too large to prove anything of. A smaller one grows with the text in the
 * same way, the count being a constant factor.
 */
const withSmallCounts = (pattern: string): string => pattern.replaceAll(/\{\d+,\}/g, '{2,}');

test.each(literals)('no text makes $file: /$pattern/$flags slow', ({ pattern, flags }) => {
  const growth: unknown = expect.stringMatching(/^(?:safe|constant|linear)$/);
  expect(checkSync(withSmallCounts(pattern), flags, { checker: 'automaton' })).toMatchObject({
    complexity: { summary: growth },
  });
});
