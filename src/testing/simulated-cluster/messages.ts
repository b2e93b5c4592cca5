/** How a field of a protobuf message is read; `[type]` is repeated. */
export type FieldType = 'text' | 'bytes' | 'integer' | 'boolean' | 'map' | 'bytesMap' | 'time' | Message;
/** The fields of a message by their numbers. */
export interface Message {
  readonly [number: number]: readonly [name: string, type: FieldType | readonly [FieldType]];
}

const LABEL_SELECTOR: Message = {
  1: ['matchLabels', 'map'],
  2: ['matchExpressions', [{ 1: ['key', 'text'], 2: ['operator', 'text'], 3: ['values', ['text']] }]],
};
const OBJECT_META: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  5: ['uid', 'text'],
  6: ['resourceVersion', 'text'],
  4: ['selfLink', 'text'],
  7: ['generation', 'integer'],
  8: ['creationTimestamp', 'time'],
  9: ['deletionTimestamp', 'time'],
  10: ['deletionGracePeriodSeconds', 'integer'],
  11: ['labels', 'map'],
  12: ['annotations', 'map'],
  14: ['finalizers', ['text']],
};
const RULE: Message = {
  1: ['verbs', ['text']],
  2: ['apiGroups', ['text']],
  3: ['resources', ['text']],
  4: ['resourceNames', ['text']],
  5: ['nonResourceURLs', ['text']],
};
const BINDING: Message = {
  1: ['metadata', OBJECT_META],
  2: ['subjects', [{ 1: ['kind', 'text'], 2: ['apiGroup', 'text'], 3: ['name', 'text'], 4: ['namespace', 'text'] }]],
  3: ['roleRef', { 1: ['apiGroup', 'text'], 2: ['kind', 'text'], 3: ['name', 'text'] }],
};
const RESOURCE_ATTRIBUTES: Message = {
  1: ['namespace', 'text'],
  2: ['verb', 'text'],
  3: ['group', 'text'],
  4: ['version', 'text'],
  5: ['resource', 'text'],
  6: ['subresource', 'text'],
  7: ['name', 'text'],
};
const NON_RESOURCE_ATTRIBUTES: Message = { 1: ['path', 'text'], 2: ['verb', 'text'] };
const SUBJECT_ACCESS_REVIEW: Message = {
  1: ['metadata', OBJECT_META],
  2: [
    'spec',
    {
      1: ['resourceAttributes', RESOURCE_ATTRIBUTES],
      2: ['nonResourceAttributes', NON_RESOURCE_ATTRIBUTES],
      3: ['user', 'text'],
      4: ['groups', ['text']],
      6: ['uid', 'text'],
    },
  ],
};

/**
 * The kinds that are taken as protobuf, with Kubernetes' own numbers (generated.proto of each API group); and what fields
 * there are in them. A Pod, Node or Namespace has too many.
 */
export const MESSAGES: Readonly<Record<string, Message>> = {
  Namespace: { 1: ['metadata', OBJECT_META] },
  ServiceAccount: {
    1: ['metadata', OBJECT_META],
    2: ['secrets', [{ 3: ['name', 'text'] }]],
    3: ['imagePullSecrets', [{ 1: ['name', 'text'] }]],
    4: ['automountServiceAccountToken', 'boolean'],
  },
  Secret: {
    1: ['metadata', OBJECT_META],
    2: ['data', 'bytesMap'],
    3: ['type', 'text'],
    4: ['stringData', 'map'],
    5: ['immutable', 'boolean'],
  },
  Role: { 1: ['metadata', OBJECT_META], 2: ['rules', [RULE]] },
  ClusterRole: {
    1: ['metadata', OBJECT_META],
    2: ['rules', [RULE]],
    3: ['aggregationRule', { 1: ['clusterRoleSelectors', [LABEL_SELECTOR]] }],
  },
  RoleBinding: BINDING,
  ClusterRoleBinding: BINDING,
  TokenRequest: {
    1: ['metadata', OBJECT_META],
    2: [
      'spec',
      {
        1: ['audiences', ['text']],
        3: [
          'boundObjectRef',
          { 1: ['kind', 'text'], 2: ['apiVersion', 'text'], 3: ['name', 'text'], 4: ['uid', 'text'] },
        ],
        4: ['expirationSeconds', 'integer'],
      },
    ],
  },
  TokenReview: {
    1: ['metadata', OBJECT_META],
    2: ['spec', { 1: ['token', 'text'], 2: ['audiences', ['text']] }],
  },
  SelfSubjectReview: { 1: ['metadata', OBJECT_META] },
  SubjectAccessReview: SUBJECT_ACCESS_REVIEW,
  LocalSubjectAccessReview: SUBJECT_ACCESS_REVIEW,
  SelfSubjectAccessReview: {
    1: ['metadata', OBJECT_META],
    2: [
      'spec',
      { 1: ['resourceAttributes', RESOURCE_ATTRIBUTES], 2: ['nonResourceAttributes', NON_RESOURCE_ATTRIBUTES] },
    ],
  },
  SelfSubjectRulesReview: { 1: ['metadata', OBJECT_META], 2: ['spec', { 1: ['namespace', 'text'] }] },
  DeleteOptions: {
    1: ['gracePeriodSeconds', 'integer'],
    2: ['preconditions', { 1: ['uid', 'text'], 2: ['resourceVersion', 'text'] }],
    4: ['propagationPolicy', 'text'],
    5: ['dryRun', ['text']],
  },
};
