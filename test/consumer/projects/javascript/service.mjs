// A service as an ES module imports the package.
import express from 'express';
import { k8sServiceAccountAuth, requireBoundPod, requireNamespace } from 'k8s-service-account-auth';
import { createAuthenticator } from 'k8s-service-account-auth/authenticator';
import { startSimulatedCluster } from 'k8s-service-account-auth/testing';
import { play } from './play.cjs';

await play({
  express,
  k8sServiceAccountAuth,
  requireBoundPod,
  requireNamespace,
  createAuthenticator,
  startSimulatedCluster,
});
