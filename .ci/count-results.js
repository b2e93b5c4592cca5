// Adds up Jest's results files: `node count-results.js (LABEL EXIT-STATUS FILE)...`. Prints what is wrong to stderr and
// `N passed, N failed` as the last line to stdout. Whatever keeps a run from being proof counts as a failure: a suite
// that did not run, a missing or unreadable file, no tests at all, a command that failed for another reason.
import { readFileSync } from 'node:fs';

function count(label, exitStatus, file) {
  const problems = [];
  let passed = 0;
  let failed = 0;
  try {
    const results = JSON.parse(readFileSync(file, 'utf8'));
    passed = number(results, 'numPassedTests');
    failed = number(results, 'numFailedTests');
    const suitesNotRun = number(results, 'numRuntimeErrorTestSuites') + number(results, 'numPendingTestSuites');
    if (failed > 0) {
      problems.push(`${failed} tests failed`);
    }
    if (suitesNotRun > 0) {
      failed += suitesNotRun;
      problems.push(`${suitesNotRun} test suites did not run`);
    }
    if (results.wasInterrupted === true) {
      failed += 1;
      problems.push('the run was interrupted');
    }
    if (passed + failed === 0) {
      failed += 1;
      problems.push('no test ran');
    }
  } catch (error) {
    failed += 1;
    problems.push(`no results: ${error.message}`);
  }
  if (exitStatus !== '0') {
    failed = Math.max(failed, 1);
    problems.push(`exit status ${exitStatus}`);
  }
  for (const problem of problems) {
    process.stderr.write(`${label}: ${problem}\n`);
  }
  return { passed, failed };
}

function number(results, field) {
  const value = results[field];
  if (!Number.isInteger(value)) {
    throw new Error(`${field} is ${JSON.stringify(value)}`);
  }
  return value;
}

const runs = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (let i = 0; i < runs.length; i += 3) {
  const run = count(runs[i], runs[i + 1], runs[i + 2]);
  passed += run.passed;
  failed += run.failed;
}
if (runs.length === 0) {
  failed = 1;
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
