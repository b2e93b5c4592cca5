import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import common from '../../jest.config.js';

/**
 * For the tests that `run.ts` names.
 *
 * @type {import('jest').Config}
 */
export default {
  ...common,
  rootDir: dirname(dirname(dirname(fileURLToPath(import.meta.url)))),
  testMatch: JSON.parse(process.env.MUTATION_TESTS ?? '[]'),
};
