import { type ExpressPlayCode, expressPlayCodeEntry, expressPlayCodeOf, isExpressPlayUrl, type Problem } from '@latchkey/contracts';
import type { ErrorForm } from '@latchkey/service-defaults';
import type { FastifyRequest } from 'fastify';
import { ExpressPlayRefusal } from './expressplay-refusal.js';
import { formOf, queryOf } from './given-parameters.js';

/** A refusal as this surface tells it. */
export interface ToldRefusal {
  readonly errorCode: ExpressPlayCode;
  readonly errorMessage: string;
  readonly parameter?: string | undefined;
  readonly requestId?: string;
}

/** What a problem is called here, and with which status. */
export function toldRefusal(problem: Problem, requestId: string): { readonly status: number; readonly told: ToldRefusal } {
  const own = problem instanceof ExpressPlayRefusal ? problem : undefined;
  const errorCode = own?.referenceCode ?? expressPlayCodeOf[problem.code];
  const { status, meaning } = expressPlayCodeEntry(errorCode);
  const detail = own?.detail === undefined ? '' : `: ${own.parameter === undefined ? '' : `${own.parameter} `}${own.detail}`;
  return {
    status: problem.code === 'forbidden' ? problem.status : status,
    told: { errorCode, errorMessage: meaning + detail, parameter: own?.parameter, ...(status >= 500 ? { requestId } : {}) },
  };
}

/** Tells every error under the paths of this surface as its `errorFormat` wants it, those of routing and parsing as well. */
export const expressPlayErrors: ErrorForm = {
  covers: isExpressPlayUrl,
  render: (problem, request) => {
    const { status, told } = toldRefusal(problem, request.id);
    return wantsJson(request)
      ? { status, type: 'application/json; charset=utf-8', body: JSON.stringify(told) }
      : { status, type: 'text/html; charset=utf-8', body: page(status, told) };
  },
};

function wantsJson(request: FastifyRequest): boolean {
  const said = [queryOf(request), formOf(request)].flatMap((parameters) => parameters.get('errorFormat') ?? []);
  return said.length > 0 && said.every((format) => format === 'json');
}

function page(status: number, { errorCode, errorMessage, requestId }: ToldRefusal): string {
  const note = requestId === undefined ? '' : `<p>Request ${escaped(requestId)}</p>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Error ${errorCode}</title></head><body><h1>${status}: error ${errorCode}</h1><p>${escaped(errorMessage)}</p>${note}</body></html>\n`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
