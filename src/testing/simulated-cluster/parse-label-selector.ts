import { parseLabelSelector as parse } from '../../authorization/label-selector.ts';
import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import { badRequest } from './status.ts';

/** The parameter `labelSelector`. Throws Kubernetes' 400. */
export function parseLabelSelector(text: string): (object: KubernetesObject) => boolean {
  try {
    const selects = parse(text);
    return ({ metadata: { labels = {} } }) => selects(labels);
  } catch (error) {
    throw error instanceof TypeError ? badRequest(error.message) : error;
  }
}
