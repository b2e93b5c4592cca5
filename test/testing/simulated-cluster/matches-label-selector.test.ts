import { expect, test } from '@jest/globals';
import { matchesLabelSelector } from '../../../src/testing/simulated-cluster/matches-label-selector.ts';

const expression = (operator: string, values?: string[]): object => ({
  matchExpressions: [{ key: 'app', operator, ...(values && { values }) }],
});

test.each([
  [{}, {}, true],
  [{ matchLabels: { app: 'web' } }, { app: 'web' }, true],
  [{ matchLabels: { app: 'web' } }, { app: 'db' }, false],
  [{ matchLabels: { app: 'web' } }, undefined, false],
  [expression('In', ['web']), { app: 'web' }, true],
  [expression('In', ['web']), {}, false],
  [expression('In'), { app: 'web' }, false],
  [expression('NotIn', ['web']), { app: 'web' }, false],
  [expression('NotIn', ['web']), { app: 'db' }, true],
  [expression('NotIn', ['web']), {}, true],
  [expression('Exists'), { app: '' }, true],
  [expression('Exists'), {}, false],
  [expression('DoesNotExist'), {}, true],
  [expression('DoesNotExist'), { app: '' }, false],
])('%j matches %j: %s', (selector, labels, matches) => {
  expect(matchesLabelSelector(selector, labels)).toBe(matches);
});
