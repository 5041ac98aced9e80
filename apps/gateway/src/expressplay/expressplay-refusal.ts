import { type ErrorCode, type ExpressPlayCode, expressPlayCodeEntry, Problem, type ProblemOptions } from '@latchkey/contracts';

const problemOfStatus: Readonly<Record<number, ErrorCode>> = { 401: 'unauthenticated', 404: 'not-found' };

/** A refusal that has a code of the reference's of its own. `detail` reaches the client: it names parameters, never values. */
export class ExpressPlayRefusal extends Problem {
  constructor(
    readonly referenceCode: ExpressPlayCode,
    options: Pick<ProblemOptions, 'detail' | 'headers'> & { readonly parameter?: string | undefined } = {},
  ) {
    super(problemOfStatus[expressPlayCodeEntry(referenceCode).status] ?? 'invalid-request', options);
    this.parameter = options.parameter;
  }

  /** The parameter that is wrong, where it is one. */
  readonly parameter: string | undefined;
}
