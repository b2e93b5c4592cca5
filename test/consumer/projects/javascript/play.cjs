// Serves one route and calls it as three callers; prints on which Node, and what they saw, as JSON.
exports.play = async function play(parts) {
  const { express, k8sServiceAccountAuth, requireBoundPod, requireNamespace, createAuthenticator } = parts;
  const cluster = await parts.startSimulatedCluster();
  const authenticator = createAuthenticator({ audiences: 'orders', kubeConfig: cluster.kubeConfig, log: false });
  const app = express();
  app.set('env', 'test');
  app.use(k8sServiceAccountAuth({ authenticator }));
  app.get('/orders/:id', requireNamespace('shop'), requireBoundPod(), (req, res) => {
    res.json({ id: req.params.id, pod: req.serviceAccount.pod.name });
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${server.address().port}/orders/7`;

  const web = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
  const job = await cluster.createPod('batch/job-1', { serviceAccount: 'job' });
  const seen = [process.versions.node.split('.')[0]];
  for (const pod of [web, job, undefined]) {
    const headers = pod && { authorization: `Bearer ${await pod.token({ audiences: 'orders' })}` };
    const response = await fetch(url, { headers });
    seen.push([response.status, response.ok ? await response.json() : response.headers.get('www-authenticate')]);
    if (!response.ok) await response.text();
  }
  console.log(JSON.stringify(seen));

  await authenticator.close();
  server.close();
  server.closeAllConnections();
  await cluster.close();
};
