/** What this uses of the results that Jest writes with `--json`. */
export interface JestResults {
  readonly success: boolean;
  readonly wasInterrupted: boolean;
  readonly startTime: number;
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numTotalTestSuites: number;
  readonly numPassedTestSuites: number;
  readonly numFailedTestSuites: number;
  readonly numPendingTestSuites: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly snapshot: {
    /** Obsolete ones: with `--ci` they make a run fail. */
    readonly unchecked: number;
  };
  readonly testResults: readonly {
    /** Path of the file. */
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

/** The results of several runs of Jest as if it had been one. */
export function mergedResults(runs: readonly JestResults[]): JestResults {
  const sum = (count: (run: JestResults) => number): number => runs.reduce((total, run) => total + count(run), 0);
  return {
    success: runs.every(({ success }) => success),
    wasInterrupted: runs.some(({ wasInterrupted }) => wasInterrupted),
    startTime: Math.min(...runs.map(({ startTime }) => startTime)),
    numTotalTests: sum((run) => run.numTotalTests),
    numPassedTests: sum((run) => run.numPassedTests),
    numFailedTests: sum((run) => run.numFailedTests),
    numPendingTests: sum((run) => run.numPendingTests),
    numTodoTests: sum((run) => run.numTodoTests),
    numTotalTestSuites: sum((run) => run.numTotalTestSuites),
    numPassedTestSuites: sum((run) => run.numPassedTestSuites),
    numFailedTestSuites: sum((run) => run.numFailedTestSuites),
    numPendingTestSuites: sum((run) => run.numPendingTestSuites),
    numRuntimeErrorTestSuites: sum((run) => run.numRuntimeErrorTestSuites),
    snapshot: { unchecked: sum(({ snapshot }) => snapshot.unchecked) },
    testResults: runs.flatMap(({ testResults }) => testResults),
  };
}
