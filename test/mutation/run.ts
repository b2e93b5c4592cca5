// Breaks each file of src/authentication and src/express in every way that Stryker knows, one at a time, and sees whether
// the tests of that very file notice: `npm run test:mutation -- [file of src/ or a part of its path]...`.
import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { LogLevel, MutantResult, PartialStrykerOptions } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';

const leastScore = 90;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { concurrency: { type: 'string', default: '2' } },
});

/** Files whose tests are not those of their name. */
const testsOf: Readonly<Record<string, readonly string[]>> = {
  'authentication/abandonable': ['authenticator'],
  'authentication/authenticator': ['authenticator', 'open-streams', 'revocation', 'shield', 'secrecy'],
  'authentication/bound-objects': ['revocation'],
  'authentication/identity-keeper': ['authenticator', 'open-streams', 'revocation'],
  'authentication/kubernetes-names': ['identity-from-review', '../authorization/label-rules'],
  'authentication/revocation': ['authenticator', 'revocation'],
  'authentication/stackless-error': ['errors', 'reviewer'],
  'express/checked-guards': ['all-of', 'any-of'],
  'express/guard': ['guard', 'modes', 'all-of', 'any-of', 'require-permission'],
  'express/route-layers': ['describe-access'],
  'express/k8s-service-account-auth': [
    'k8s-service-account-auth',
    'authorization-header',
    'get-token',
    'hang-up',
    'known-token',
    'modes',
    'request-identity',
    'require-bound-pod',
    'require-permission',
  ],
};

/** What the tests of a file are, from the root of the project; those of its folder, where it has none of its own. */
function testsFor(file: string): string[] {
  const folder = basename(dirname(file));
  const name = basename(file, '.ts');
  const own = testsOf[`${folder}/${name}`] ?? [name];
  const tests = globSync(own.map((test) => `test/${folder}/${test}.test.ts`));
  return tests.length > 0 ? tests : globSync(`test/${folder}/*.test.ts`);
}

const optionsFor = (file: string): PartialStrykerOptions => ({
  mutate: [file],
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules'],
  // Which tests are a file's is said above.
  jest: { configFile: 'test/mutation/jest.config.js', enableFindRelatedTests: false },
  coverageAnalysis: 'perTest',
  concurrency: Number(values.concurrency),
  reporters: ['html'],
  htmlReporter: { fileName: `reports/mutation/${file.replace(/^src\//, '').replace('.ts', '.html')}` },
  allowConsoleColors: false,
  logLevel: 'error' as LogLevel,
  // Stryker would rewrite its paths with TypeScript's JavaScript API, which TypeScript 7 has no more: nothing here needs it.
  tsconfigFile: 'none',
});

const isNoticed = ({ status }: MutantResult): boolean => status === 'Killed' || status === 'Timeout';
const isSurvivor = ({ status }: MutantResult): boolean => status === 'Survived' || status === 'NoCoverage';

const scoreOf = (results: readonly MutantResult[]): number => {
  const noticed = results.filter(isNoticed).length;
  const survivors = results.filter(isSurvivor).length;
  return noticed + survivors === 0 ? 100 : (noticed / (noticed + survivors)) * 100;
};

const lineOf = (name: string, results: readonly MutantResult[]): string =>
  [
    scoreOf(results).toFixed(1).padStart(6),
    String(results.filter(isNoticed).length).padStart(5),
    String(results.filter(isSurvivor).length).padStart(5),
    name,
  ].join('  ');

const files = globSync('src/{authentication,express}/**/*.ts')
  .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
  .toSorted();
const all: MutantResult[] = [];

console.log(' score  noticed  survived');
for (const file of files) {
  process.env['MUTATION_TESTS'] = JSON.stringify(testsFor(file).map((test) => join('<rootDir>', test)));
  const results = await new Stryker(optionsFor(file)).runMutationTest();
  if (results.length === 0) continue;
  console.log(lineOf(file, results));
  for (const { location, mutatorName, replacement = '' } of results.filter(isSurvivor)) {
    const { line, column } = location.start;
    console.log(
      `        ${file}:${line}:${column}  ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ').slice(0, 120)}`,
    );
  }
  all.push(...results);
}
console.log(lineOf('all', all));
if (scoreOf(all) < leastScore) process.exitCode = 1;
