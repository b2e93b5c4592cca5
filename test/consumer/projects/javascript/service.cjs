// A service in CommonJS requires the package.
const express = require('express');
const { k8sServiceAccountAuth, requireBoundPod, requireNamespace } = require('k8s-service-account-auth');
const { createAuthenticator } = require('k8s-service-account-auth/authenticator');
const { startSimulatedCluster } = require('k8s-service-account-auth/testing');
const { play } = require('./play.cjs');

void play({
  express,
  k8sServiceAccountAuth,
  requireBoundPod,
  requireNamespace,
  createAuthenticator,
  startSimulatedCluster,
});
