import { describe, expect, it } from '@jest/globals';
import { authenticatorOf, generateApiKey } from '@latchkey/crypto';
import { type CredentialPlaces, presentedCredentials } from './presented-credentials.js';

const key = generateApiKey('live');
const other = generateApiKey('live');
const nowhere: CredentialPlaces = { bearer: 'none', query: [], form: [] };
const [authenticator, another] = [authenticatorOf(key), authenticatorOf(other)];

function kindOf(places: Partial<CredentialPlaces>): string | undefined {
  const found = presentedCredentials({ ...nowhere, ...places });
  return found.kind === 'key' ? found.presented.fullKey('live') : found.kind;
}

describe('who a call says that it is', () => {
  it.each<[string, Partial<CredentialPlaces>, string]>([
    ['in the query', { query: [authenticator] }, key],
    ['in a form', { form: [authenticator] }, key],
    ['in both', { query: [authenticator], form: [authenticator] }, key],
    ['in a header', { bearer: { key } }, key],
    ['everywhere', { bearer: { key }, query: [authenticator], form: [authenticator] }, key],
    ['in a header, beside an empty parameter', { bearer: { key }, query: [''] }, key],
    ['nowhere', {}, 'missing'],
    ['in an empty parameter', { query: [''] }, 'missing'],
    ['in another scheme', { bearer: 'unreadable' }, 'malformed'],
    ['in no authenticator', { query: [key] }, 'malformed'],
    ['differently in query and form', { query: [authenticator], form: [another] }, 'differ'],
    ['differently in query and header', { bearer: { key: other }, query: [authenticator] }, 'differ'],
    ['differently in form and header', { bearer: { key: other }, form: [authenticator] }, 'differ'],
    ['in a header that cannot be read, and well', { bearer: 'unreadable', query: [authenticator] }, 'differ'],
    ['in a header that is no key, and well', { bearer: { key: 'x' }, query: [authenticator] }, 'differ'],
    ['well in a header, and in no authenticator', { bearer: { key }, query: ['x'] }, 'differ'],
    ['twice in the query', { query: [authenticator, authenticator] }, 'differ'],
    ['twice in a form', { form: [authenticator, another] }, 'differ'],
    ['in a header that is no key', { bearer: { key: 'x' } }, 'x'],
  ])('%s', (_, places, expected) => {
    expect(kindOf(places)).toBe(expected);
  });
});
