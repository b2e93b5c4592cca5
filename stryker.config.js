/** The folder of `src/` whose tests are tried, and which is broken. Its tests are those of the same folder of `test/`. */
const folder = process.env.MUTATED ?? 'authentication';

/**
 * Mutation testing, by `npm run mutation`: see test/README.md.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  mutate: [`src/${folder}/**/*.ts`],
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules'],
  jest: { configFile: 'test/mutation/jest.config.js' },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
  clearTextReporter: { reportTests: false, allowColor: false },
  htmlReporter: { fileName: `reports/mutation/${folder}.html` },
  jsonReporter: { fileName: `reports/mutation/${folder}.json` },
  thresholds: { high: 95, low: 90, break: 90 },
  tempDirName: `.stryker-tmp/${folder}`,
  // Stryker would rewrite its paths with TypeScript's JavaScript API, which TypeScript 7 has no more: nothing here needs it.
  tsconfigFile: 'none',
};
