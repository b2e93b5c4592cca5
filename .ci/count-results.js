// Adds up Jest's results files: `node count-results.js (LABEL EXIT-STATUS FILE)...`. Prints what is wrong, with what the
// failed tests said, to stderr and `N passed, N failed` as the last line to stdout. Whatever keeps a run from being proof counts as a failure: a suite
// that did not run, a missing or unreadable file, no tests at all, a command that failed for another reason.
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const FAILURES_SHOWN = 20;
const CHARACTERS_SHOWN = 2_000;

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
    problems.push(...failures(results));
    if (suitesNotRun > 0) {
      failed += suitesNotRun;
      problems.push(`${suitesNotRun} test suites did not run`);
    }
    if (results.snapshot?.unchecked > 0) {
      problems.push(`${results.snapshot.unchecked} snapshots are obsolete: no test asked for them`);
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

/** What each failed test, and each file that did not get as far as its tests, said. */
function failures({ testResults = [] }) {
  return testResults
    .flatMap(({ name, message, assertionResults }) =>
      assertionResults.length === 0
        ? [`${name}\n${message}`]
        : assertionResults
            .filter(({ status }) => status === 'failed')
            .map(({ fullName, failureMessages }) => `${fullName}\n${failureMessages.join('\n')}`),
    )
    .slice(0, FAILURES_SHOWN)
    .map((text) => stripVTControlCharacters(text).slice(0, CHARACTERS_SHOWN));
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
