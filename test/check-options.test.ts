import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { checkOptions, functionOption, objectWith } from '../src/check-options.ts';
import { thrown } from './support/caught.ts';

const schema = z.strictObject({
  audiences: z.string().optional(),
  cache: z.strictObject({ maxEntries: z.number().default(5), maxAgeMs: z.number().default(7) }).prefault({}),
  kubeConfig: objectWith<object>('getCurrentCluster', 'applyToHTTPSOptions').optional(),
  reviewer: functionOption<() => void>().optional(),
});

const messageOf = (options: unknown): string => {
  const error = thrown(() => checkOptions(schema, options, 'make'));
  expect(error).toBeInstanceOf(TypeError);
  return (error as TypeError).message;
};

test('right options come back with the defaults in place', () => {
  expect(checkOptions(schema, {}, 'make')).toEqual({ cache: { maxEntries: 5, maxAgeMs: 7 } });
  expect(checkOptions(schema, { audiences: 'a', cache: { maxEntries: 1 } }, 'make')).toEqual({
    audiences: 'a',
    cache: { maxEntries: 1, maxAgeMs: 7 },
  });
});

describe('an option that does not exist', () => {
  test.each([
    ['audience', 'there is no option "audience". Did you mean "audiences"?'],
    ['audinces', 'there is no option "audinces". Did you mean "audiences"?'],
    ['Audiences', 'there is no option "Audiences". Did you mean "audiences"?'],
    ['kubeconfig', 'there is no option "kubeconfig". Did you mean "kubeConfig"?'],
    ['review', 'there is no option "review". Did you mean "reviewer"?'],
    ['issuer', 'there is no option "issuer". The options are: audiences, cache, kubeConfig, reviewer'],
    ['', 'there is no option "". The options are: audiences, cache, kubeConfig, reviewer'],
  ])('"%s" is named with the nearest right one', (key, message) => {
    expect(messageOf({ [key]: 1 })).toBe(`make: ${message}`);
  });

  test('is found within another', () => {
    expect(messageOf({ cache: { maxAge: 1 } })).toBe(
      'make: there is no option "cache.maxAge". Did you mean "maxAgeMs"?',
    );
    expect(messageOf({ cache: { size: 1 } })).toBe(
      'make: there is no option "cache.size". The options are: maxEntries, maxAgeMs',
    );
  });

  test('is told together with all that is wrong', () => {
    expect(messageOf({ nonsense: 1, audiences: 5, cache: { maxAge: 1 } }).split('; ')).toHaveLength(3);
  });
});

describe('an option that is undefined, as one from a missing environment variable is,', () => {
  test.each([
    [{ audiences: undefined }, 'audiences'],
    [{ cache: undefined }, 'cache'],
    [{ cache: { maxAgeMs: undefined } }, 'cache.maxAgeMs'],
  ])('is named in %j', (options, name) => {
    expect(messageOf(options)).toBe(
      `make: the option "${name}" is undefined. Is an environment variable missing? To have the default, leave the ` +
        'option out.',
    );
  });

  test('is no matter within an object of the user', () => {
    const kubeConfig = { getCurrentCluster() {}, applyToHTTPSOptions() {}, users: undefined };
    expect(checkOptions(schema, { kubeConfig }, 'make')).toMatchObject({ kubeConfig });
  });
});

test('an object of the user is taken as it is, even if it holds itself', () => {
  const kubeConfig: Record<string, unknown> = { getCurrentCluster() {}, applyToHTTPSOptions() {} };
  kubeConfig['self'] = kubeConfig;
  expect(checkOptions(schema, { kubeConfig }, 'make').kubeConfig).toBe(kubeConfig);
});

test.each([
  [{ audiences: null }, 'the option "audiences" is wrong: '],
  [{ audiences: 5 }, 'the option "audiences" is wrong: '],
  [{ cache: null }, 'the option "cache" is wrong: '],
  [{ cache: 5 }, 'the option "cache" is wrong: '],
  [{ cache: { maxAgeMs: '5' } }, 'the option "cache.maxAgeMs" is wrong: '],
  [{ reviewer: {} }, 'the option "reviewer" is wrong: expected a function'],
  [
    { kubeConfig: null },
    'the option "kubeConfig" is wrong: expected an object with getCurrentCluster() and applyToHTTPSOptions()',
  ],
  [
    { kubeConfig: '/home/me/.kube/config' },
    'the option "kubeConfig" is wrong: expected an object with getCurrentCluster() and applyToHTTPSOptions()',
  ],
  [{ kubeConfig: { getCurrentCluster() {} } }, 'the option "kubeConfig" is wrong: expected an object with'],
  [null, 'the options are wrong: '],
  [undefined, 'the options are wrong: '],
  ['orders', 'the options are wrong: '],
  [['orders'], 'the options are wrong: '],
])('%p: what is wrong is named', (options, message) => {
  expect(messageOf(options)).toContain(`make: ${message}`);
});
