import { type ErrorCode, errorCodes, type OperationContract } from '@latchkey/contracts';

/**
 * Every refusal that a call can be answered with, by HTTP status: what the operation names, and what follows from how it
 * is secured, what it takes, and that other services stand behind it.
 */
export function refusalsByStatus(operation: OperationContract): ReadonlyMap<number, readonly ErrorCode[]> {
  const byStatus = new Map<number, Set<ErrorCode>>();
  const add = (code: ErrorCode, status: number): void => {
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  };
  for (const refusal of operation.refusals) {
    if (typeof refusal === 'string') add(refusal, errorCodes[refusal].status);
    else add(refusal.code, refusal.status);
  }
  for (const code of impliedRefusals(operation)) add(code, errorCodes[code].status);
  return new Map([...byStatus].sort(([one], [other]) => one - other).map(([status, codes]) => [status, [...codes].sort()]));
}

function impliedRefusals(operation: OperationContract): ErrorCode[] {
  const { security, params, query, headers, body } = operation;
  const ofKeys: ErrorCode[] = ['unauthenticated', 'rate-limited'];
  return [
    ...(security.kind === 'api-key' ? ofKeys : []),
    ...(security.kind === 'api-key' && security.scope !== undefined ? (['forbidden'] as const) : []),
    ...(params || query || headers || body || security.kind === 'dpop' ? (['invalid-request'] as const) : []),
    ...(query ? (['unknown-member'] as const) : []),
    ...(body ? (['payload-too-large'] as const) : []),
    ...(body ? (['unknown-member'] as const) : []),
    // A licence request is read whatever its Content-Type.
    ...(body && security.kind !== 'dpop' ? (['unsupported-media-type'] as const) : []),
    'internal',
    'unavailable',
  ];
}
