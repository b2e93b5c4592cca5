import root from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...root,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/cluster/scenarios/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  collectCoverage: false,
  // One cluster is shared by all: in turn, a scenario's timing is not disturbed by another's load.
  maxWorkers: 1,
  testTimeout: 120_000,
};
