import { expect, test } from '@jest/globals';
import express from 'express';
import { requestPath } from '../../src/express/request-path.ts';
import { listening } from './support/listening.ts';
import { rawRequest } from './support/raw-request.ts';

test.each([
  ['/', ''],
  ['/reports', ''],
  ['/reports/2026', ''],
])('%s is what it is', (path, baseUrl) => {
  expect(requestPath({ baseUrl, path })).toBe(path);
});

test.each([
  ['/reports', '/', '/reports'],
  ['/reports', '/2026', '/reports/2026'],
  ['/reports', '/2026/', '/reports/2026'],
  ['/a/b', '/c', '/a/b/c'],
  ['', '/%72eports/a%20b', '/reports/a b'],
  ['', '/a/%2e%2e/b', '/a/../b'],
  ['', '/a%2fb', '/a%2fb'],
  ['', '/a%2Fb', '/a%2Fb'],
  ['', '/a%252fb', '/a%2fb'],
  ['', '/a%zz', '/a%zz'],
  ['', '/a%00', '/a\0'],
  ['', '/a//b', '/a//b'],
  ['/reports', '//', '/reports//'],
  ['', '//', '//'],
])('a router at %j and %j make %j', (baseUrl, path, whole) => {
  expect(requestPath({ baseUrl, path })).toBe(whole);
});

test.each([
  ['/reports', '/reports'],
  ['/reports/', '/reports'],
  ['/reports//', '/reports//'],
  ['/reports/2026?name=/admin', '/reports/2026'],
  ['/reports/%32026', '/reports/2026'],
  ['http://elsewhere/reports/2026', '/reports/2026'],
])('a request for %s is for %s as Express matched it, whatever routers it came through', async (target, path) => {
  const seen: string[] = [];
  const inner = express.Router().get(['/', '/:year'], (req, res) => {
    seen.push(requestPath(req));
    res.end();
  });
  await using server = await listening(express().use('/reports', inner));
  await rawRequest(server.port, `GET ${target} HTTP/1.1`, 'Host: orders', 'Connection: close');

  expect(seen).toEqual([path]);
});
