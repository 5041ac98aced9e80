import { expressPlayMethods, type OperationContract, operations } from '@latchkey/contracts';

const routes = operations.operations.map((operation: OperationContract) => ({
  method: operation.method,
  pattern: new RegExp(`^${operation.path.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
}));

/** The methods that a path of the public surface knows; empty for a path that does not exist. */
export function allowedMethods(url: string): readonly string[] {
  const path = url.split('?', 1)[0]!;
  return [...new Set([...routes.filter((route) => route.pattern.test(path)).map((route) => route.method), ...expressPlayMethods(path)])];
}
