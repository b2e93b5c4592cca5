/** The Kubernetes versions that the simulated cluster can be. */
export type KubernetesVersion = '1.33' | '1.36' | '1.37';

/** In what the answers of API servers of different versions differ, as far as it has been compared. */
export interface VersionTraits {
  readonly gitVersion: string;
  /** Of what is never stored: a review, a bookmark. */
  readonly unstoredMetadata: object;
  /** Whether a TokenRequest's answer has the uid of its ServiceAccount, and a wrong one is refused. */
  readonly tokenRequestsHaveUids: boolean;
  /** The feature gate WatchList: a watch may ask for what there is, and for a bookmark that marks its end. */
  readonly watchList: boolean;
  /** Whether a refusal because roles are missing names the authorizer that found it out. */
  readonly refusalsNameTheAuthorizer: boolean;
  /** Whether required fields of roles and bindings are checked last and in words of their own, as their types declare it. */
  readonly validatesDeclaratively: boolean;
  /** Whether errors show values as Go writes them instead of as JSON. */
  readonly errorsShowGo: boolean;
  /** Whether what `kubectl get` shows counts the Secrets of ServiceAccounts, and does not tell the architecture of Nodes. */
  readonly tablesAreOlder: boolean;
  /** How a SubjectAccessReview with no attributes, or both kinds, is refused. */
  readonly attributesProblems: {
    readonly neither: AttributesProblem;
    readonly both: (path: string, verb: string) => AttributesProblem;
  };
}

interface AttributesProblem {
  readonly field: string;
  readonly message: string;
}

const EXACTLY_ONE = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
const NOT_BOTH = 'cannot be specified in combination with resourceAttributes';

const SINCE_1_36: VersionTraits = {
  gitVersion: 'v1.36.3',
  unstoredMetadata: {},
  tokenRequestsHaveUids: true,
  watchList: true,
  refusalsNameTheAuthorizer: false,
  validatesDeclaratively: false,
  errorsShowGo: false,
  tablesAreOlder: false,
  attributesProblems: {
    neither: { field: 'spec.resourceAttributes', message: `Invalid value: null: ${EXACTLY_ONE}` },
    both: (path, verb) => ({
      field: 'spec.nonResourceAttributes',
      message: `Invalid value: ${JSON.stringify({ Path: path, Verb: verb })}: ${NOT_BOTH}`,
    }),
  },
};

export const VERSION_TRAITS: Readonly<Record<KubernetesVersion, VersionTraits>> = {
  '1.33': {
    gitVersion: 'v1.33.13',
    unstoredMetadata: { creationTimestamp: null },
    tokenRequestsHaveUids: false,
    watchList: false,
    refusalsNameTheAuthorizer: false,
    validatesDeclaratively: false,
    errorsShowGo: true,
    tablesAreOlder: true,
    attributesProblems: {
      neither: { field: 'spec.resourceAttributes', message: `Invalid value: "null": ${EXACTLY_ONE}` },
      both: (path, verb) => ({
        field: 'spec.nonResourceAttributes',
        message: `Invalid value: authorization.NonResourceAttributes{Path:${JSON.stringify(path)}, Verb:${JSON.stringify(verb)}}: ${NOT_BOTH}`,
      }),
    },
  },
  '1.36': SINCE_1_36,
  '1.37': {
    ...SINCE_1_36,
    gitVersion: 'v1.37.2',
    refusalsNameTheAuthorizer: true,
    validatesDeclaratively: true,
    attributesProblems: {
      neither: { field: 'spec', message: `Invalid value: null: ${EXACTLY_ONE}` },
      both: (path, verb) => ({
        field: 'spec',
        message: `Invalid value: ${JSON.stringify({ Path: path, Verb: verb })}: ${EXACTLY_ONE}`,
      }),
    },
  },
};
