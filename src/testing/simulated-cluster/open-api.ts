import { API_GROUPS } from './discovery.ts';

/**
 * As much of OpenAPI as kubectl needs to leave validation to the server: for each kind, that its operations take the
 * parameter `fieldValidation`. There are no schemas.
 */
export function openApiDocument(path: string): object | undefined {
  const roots = Object.keys(API_GROUPS).map((group) => [group ? `apis/${group}/v1` : 'api/v1', group] as const);
  if (path === '/openapi/v3') {
    return { paths: Object.fromEntries(roots.map(([root]) => [root, { serverRelativeURL: `/openapi/v3/${root}` }])) };
  }
  const [root, group] = roots.find(([candidate]) => path === `/openapi/v3/${candidate}`) ?? [];
  if (root === undefined || group === undefined) return undefined;
  const resources = API_GROUPS[group]?.filter(({ name }) => !name.includes('/')) ?? [];
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'simulated' },
    components: { schemas: {} },
    paths: Object.fromEntries(
      resources.map(({ name, kind, namespaced, verbs }) => {
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
