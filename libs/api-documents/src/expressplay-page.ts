import { type ExpressPlayEndpoint, expressPlayCodes, expressPlayEndpoints, type ExpressPlayParameter } from '@latchkey/contracts';
import { code, markdownPage, markdownTable } from './markdown.js';

/** The page of the ExpressPlay-shaped surface: every endpoint with its parameters and their codes, and what the codes mean. */
export function expressPlayPage(): string {
  return markdownPage('ExpressPlay-shaped endpoints', [
    'What merchants with code for ExpressPlay’s REST APIs call, on the gateway; `docs/expressplay.md` says how it differs from the reference and why. Names of parameters are case-sensitive. A parameter that stands twice, or under two names that differ, is malformed. Parameters that stand in no table are passed over. Each path is served with and without a slash at its end.',
    ...expressPlayEndpoints.flatMap(endpointSection),
    '## Codes',
    'Codes from -9000 downwards are Latchkey’s own.',
    markdownTable(
      ['code', 'status', 'meaning'],
      Object.entries(expressPlayCodes).map(([each, { status, meaning }]) => [code(each), each === '-2018' ? `${status}, or 403 where the key lacks the scope` : String(status), meaning]),
    ),
  ]);
}

function endpointSection({ methods, path, summary, scope, body, parameters, rules, ignored }: ExpressPlayEndpoint): string[] {
  const places = { form: 'in the query or, with POST, in a form', json: 'in the query; members of a JSON body are marked', none: 'in the query' }[body];
  return [
    `## ${methods.join(', ')} ${path}`,
    `${summary}. Needs the scope ${code(scope)}. Parameters stand ${places}.`,
    markdownTable(['parameter', 'required', 'what it is', 'must be', 'codes'], parameters.map(parameterRow)),
    ...(rules.length === 0 ? [] : [`Together: ${rules.map((rule) => `${rule.words} (${code(String(rule.code))})`).join('; ')}.`]),
    ...(ignored.length === 0 ? [] : [`Known and passed over: ${ignored.map(code).join(', ')}.`]),
  ];
}

function parameterRow({ name, aliases, header, place, required, meaning, missing, checks }: ExpressPlayParameter): string[] {
  const others = [...(aliases ?? []).map(code), ...(header === undefined ? [] : [`header ${code(header)}`])];
  const where = { parameters: '', body: ' (body)', path: ' (path)' }[place];
  const codes = [...(missing === undefined ? [] : [`missing ${missing}`]), ...checks.map((check) => `${check.fault} ${check.code}`)];
  return [
    `${code(name)}${where}${others.map((other) => `, ${other}`).join('')}`,
    required === 'always' ? 'yes' : required === 'never' ? 'no' : `when ${required.when}`,
    meaning,
    checks.map(({ words }) => words).join('; '),
    [...new Set(codes)].join(', '),
  ];
}
