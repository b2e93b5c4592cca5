// Lets the examples import this package by its name, as its users do, without a build: `node --import` this file.
import { registerHooks } from 'node:module';

const sources: Readonly<Record<string, string>> = {
  'k8s-service-account-auth': import.meta.resolve('../src/index.ts'),
  'k8s-service-account-auth/authenticator': import.meta.resolve('../src/authenticator.ts'),
  'k8s-service-account-auth/testing': import.meta.resolve('../src/testing/index.ts'),
};

registerHooks({ resolve: (specifier, context, next) => next(sources[specifier] ?? specifier, context) });
