import { API_GROUPS } from './discovery.ts';

/**
 * As much of OpenAPI as kubectl needs to leave validation to the server: for each kind, that its operations take the
 * parameter `fieldValidation`. There are no schemas.
 */
export function openApiDocument(path: string): object | undefined {
  const groups = Object.entries(API_GROUPS).map(([group, resources]) => ({
    group,
    resources,
    root: group ? `apis/${group}/v1` : 'api/v1',
  }));
  if (path === '/openapi/v3') {
    return {
      paths: Object.fromEntries(groups.map(({ root }) => [root, { serverRelativeURL: `/openapi/v3/${root}` }])),
    };
  }
  const asked = groups.find(({ root }) => path === `/openapi/v3/${root}`);
  if (!asked) return undefined;
  const { group, resources, root } = asked;
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'simulated' },
    components: { schemas: {} },
    paths: Object.fromEntries(
      resources
        .filter(({ name }) => !name.includes('/'))
        .map(({ name, kind, namespaced, verbs }) => {
          const collection = `/${root}/${namespaced ? 'namespaces/{namespace}/' : ''}${name}`;
          const operation = {
            parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
            responses: { '200': { description: 'OK' } },
            'x-kubernetes-group-version-kind': { group, version: 'v1', kind },
          };
          // It is at PATCH that kubectl looks, of reviews too, which cannot be patched.
          return [verbs.includes('patch') ? `${collection}/{name}` : collection, { patch: operation }];
        }),
    ),
  };
}
