/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }] },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // Of what is for clusters, that about rights runs here too, on the simulated one.
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/test/cluster/(?!scenarios/rbac.test.ts)',
    '<rootDir>/test/consumer/projects/',
  ],
  // Where mutation testing keeps copies of everything.
  modulePathIgnorePatterns: ['<rootDir>/.stryker-tmp/'],
  coverageDirectory: 'coverage',
  collectCoverageFrom: ['src/**/*.ts'],
  // Much of it is waiting, so that no core needs to be left to Jest itself.
  maxWorkers: '100%',
  // A bound for what hangs, and no promise: other processes may need the machine, and npm's folders take long to remove.
  testTimeout: 30_000,
  // Of `test.concurrent`: the fault suite, most of which is waiting.
  maxConcurrency: 8,
};
