import { parseArgs } from 'node:util';

export interface DemoArguments {
  readonly help: boolean;
  readonly serve: boolean;
  readonly kubeConfigFile: string | undefined;
}

export const help = `Plays callers, good and bad, on the Express service of examples/orders-service, over real HTTP.

  npm run demo                          on a simulated cluster, in this process
  npm run demo -- --kubeconfig FILE     on the cluster of that kubeconfig's current context, as an administrator, in
                                        namespaces of its own that are deleted in the end
  npm run demo -- --serve               keeps the service running and prints curl lines with tokens; Ctrl-C ends it

The exit code is 0 if every outcome was as expected, 1 if one was not, 2 for wrong arguments.`;

/** @throws {TypeError} with a message for whoever typed them */
export function demoArguments(argv: readonly string[]): DemoArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      serve: { type: 'boolean', default: false },
      kubeconfig: { type: 'string' },
    },
  });
  return { help: values.help, serve: values.serve, kubeConfigFile: values.kubeconfig };
}
