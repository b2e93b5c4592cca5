import { describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { k8sServiceAccountAuth, type K8sServiceAccountAuthOptions } from '../../src/index.ts';
import { fakeAuthenticator, fakeIdentity } from '../../src/testing/index.ts';
import { answerWithError } from './support/guarded-app.ts';
import { identityApp } from './support/identity-app.ts';

const web = fakeIdentity('shop/web', { pod: 'web-1' });
const webName = 'system:serviceaccount:shop:web';

describe('options', () => {
  const authenticator = fakeAuthenticator({});
  const wrong: readonly (readonly [name: string, options: unknown, message: RegExp])[] = [
    ['a mode that does not exist', { mode: 'strict' }, /"mode".*"enforce"\|"optional"\|"report"/],
    ['a realm with a quote', { realm: 'a"b' }, /"realm".*printable ASCII/],
    ['a realm with a backslash', { realm: 'a\\' }, /"realm".*printable ASCII/],
    ['a realm with a newline', { realm: 'orders\r\nSet-Cookie: a=b' }, /"realm".*printable ASCII/],
    ['a realm that ends in a newline', { realm: 'orders\n' }, /"realm".*printable ASCII/],
    ['a realm beyond ASCII', { realm: 'bücher' }, /"realm".*printable ASCII/],
    ['an empty realm', { realm: '' }, /"realm"/],
    ['getToken that is no function', { getToken: 'x-token' }, /"getToken" is wrong: expected a function/],
    ['an authenticator that is none', { authenticator: {} }, /"authenticator" is wrong: .*authenticate\(\)/],
    ['an authenticator, and audiences', { authenticator, audiences: 'a' }, /either "authenticator" or "audiences"/],
    [
      'an authenticator, and two more',
      { authenticator, log: false, cache: {} },
      /either "authenticator" or "(log", "cache|cache", "log)"/,
    ],
    ['an unknown key', { audience: 'orders' }, /no option "audience"\. Did you mean "audiences"\?/],
    ['a misspelt key of its own', { relm: 'orders' }, /no option "relm"\. Did you mean "realm"\?/],
    ['a misspelt nested key', { cache: { maxAgeMS: 1 } }, /no option "cache\.maxAgeMS"\. Did you mean "maxAgeMs"\?/],
    ['an undefined option', { audiences: undefined }, /"audiences" is undefined\. Is an environment variable missing/],
    ['an undefined authenticator', { authenticator: undefined }, /"authenticator" is undefined/],
    ['a wrong value of the authenticator', { audiences: [] }, /^k8sServiceAccountAuth: .*"audiences"/],
    ['null', null, /^k8sServiceAccountAuth: /],
    ['a text', 'orders', /^k8sServiceAccountAuth: the options are wrong/],
  ];
  test.each(wrong)('%s throws where the middleware is made', (_name, options, message) => {
    const make = (): unknown => k8sServiceAccountAuth(options as K8sServiceAccountAuthOptions);

    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });

  test('no options are needed, and making the middleware sends nothing', () => {
    const { authenticator: own, mode } = k8sServiceAccountAuth();
    expect(own.status()).toMatchObject({ state: 'open', lastReview: undefined });
    expect(mode).toBe('enforce');
  });

  test('the authenticator it was given stands on the middleware', () => {
    expect(k8sServiceAccountAuth({ authenticator }).authenticator).toBe(authenticator);
  });

  test('the factory passed uncalled fails the first request with how to write it', async () => {
    const app = express()
      .set('env', 'test')
      .use(k8sServiceAccountAuth as never)
      .use(answerWithError);

    const { status, body } = await request(app).get('/').set('Authorization', 'Bearer top-secret');

    expect(status).toBe(500);
    expect(body).toEqual({
      name: 'TypeError',
      message: 'k8sServiceAccountAuth makes the middleware: write app.use(k8sServiceAccountAuth())',
    });
  });

  test('a request alone is noticed too: frameworks that call middleware with one argument', async () => {
    const make = k8sServiceAccountAuth as unknown as (req: unknown) => void;
    const app = express()
      .set('env', 'test')
      .use((req) => make(req))
      .use(answerWithError);

    const { body } = await request(app).get('/');

    expect(body).toMatchObject({ message: expect.stringContaining('write app.use(k8sServiceAccountAuth())') });
  });

  test('a request that is not of HTTP/1 is noticed by what comes after it', () => {
    const make = k8sServiceAccountAuth as unknown as (req: unknown, res: unknown, next: unknown) => void;

    expect(() => make({}, {}, () => {})).toThrow('write app.use(k8sServiceAccountAuth())');
  });

  test('a fake authenticator is one line', async () => {
    const app = identityApp({ authenticator: { authenticate: async () => web } });

    const { body } = await request(app).get('/').set('Authorization', 'Bearer any');

    expect(body).toEqual({ caller: webName });
  });
});
