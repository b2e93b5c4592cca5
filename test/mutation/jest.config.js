import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import common from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...common,
  rootDir: dirname(dirname(dirname(fileURLToPath(import.meta.url)))),
  testMatch: [`<rootDir>/test/${process.env.MUTATED ?? 'authentication'}/**/*.test.ts`],
  // Mutants are not alive in a process of a test's own.
  testPathIgnorePatterns: [...common.testPathIgnorePatterns, 'own-process'],
};
