import type { TokenOptions } from '../../../src/testing/cluster-client/token-options.ts';
import type { Scene } from './scene.ts';

/** The ordinary caller: a token for `orders` of the Pod `web-1` on the Node `node-a`. */
export async function podToken(scene: Scene, options: TokenOptions = {}): Promise<string> {
  const pod = await scene.pod('web-1', { node: 'node-a' });
  return pod.token({ audiences: 'orders', ...options });
}
