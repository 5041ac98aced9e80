import { createNonces, type DeviceKey, generateDeviceKey, generateSigningKey, publicKeyOf } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { EmbeddedJWK, jwtVerify } from 'jose';
import { keyRing, LICENSE_URL, nowSeconds } from '../bench.js';
import { draftRequest, newScene, type Scene } from './draft.js';
import type { HostileCase } from './hostile-case.js';
import { proofClaimCases } from './proof-claim-cases.js';
import { proofFormCases } from './proof-form-cases.js';
import { proofKeyCases } from './proof-key-cases.js';
import { proofSignatureCases } from './proof-signature-cases.js';
import { tokenForgeryCases } from './token-cases.js';

type Why = Readonly<Record<string, string>>;

/** What it takes of any JWS, and why. */
const JWS: Why = {
  'a padded signature': 'its base64url decoder takes padding, so one JWS has many texts',
  'a signature with a bit left over': 'its decoder drops left-over bits, so one JWS has many texts',
  'a header with a bit left over': 'as above, and signed so',
  'claims with a bit left over': 'as above, and signed so',
  'a byte order mark before the header': 'its TextDecoder drops a byte order mark, which other readers stumble over',
  'a byte order mark before the claims': 'as above',
  'a member of the header twice': 'JSON.parse keeps the last of two without a word; another reader may keep the first',
  'a member of the header twice, once escaped': 'as above, in a spelling that a search for the name does not find',
  'alg twice, the other one none': 'as above: a reader that keeps the first sees alg none',
  'alg twice, once as \\u0061lg': 'as above',
  'a claim twice': 'as above, for claims',
  'a claim twice, once escaped': 'as above',
  'a claim twice, the first one a lie': 'as above: a reader that keeps the first is told something else',
  'a duplicate inside a claim': 'as above',
  'a lone surrogate in a claim': 'JSON.parse takes it, and the database stores the same replacement character for all of them',
  'claims nested too deep': 'it has no limit to nesting',
  'typ in capitals': 'media types are compared without regard to case; we have one spelling',
  'typ as a whole media type': 'application/ in front of a typ is left out before comparing',
};

/**
 * The hostile proofs that the JOSE library alone takes, asked as its documentation says (the key in the header, ES256
 * pinned, typ, a maximum age), and why. Of what a claim has to say it is asked for the times alone.
 */
const PROOFS: Why = {
  ...JWS,
  'over 4 KiB': 'it has no limit to size',
  'an extra kid': 'header members that it does not know, or does not need, are ignored',
  'an extra cty': 'as above',
  'an extra jku': 'as above',
  'an extra x5c': 'as above',
  'an extra x5u': 'as above',
  'an extra zip': 'as above',
  'an extra nonce in the header': 'as above',
  'an extra __proto__': 'as above',
  'an extra member with an empty name': 'as above',
  'b64 without crit': 'b64 counts only where crit names it',
  'b64 false without crit': 'as above: a reader that honours it verifies another text',
  'a crit of b64, which stays true': 'b64 is the one extension that it knows',
  'a jwk with kid': 'members that the key type does not need are ignored',
  'a jwk with alg': 'as above, where it fits',
  'a jwk with use': 'as above, where it fits',
  'a jwk with key_ops': 'as above, where it fits',
  'a jwk with ext, as WebCrypto exports it': 'as above',
  'a jwk with a certificate': 'as above',
  'x padded': 'its decoder takes padding: one key, several spellings, several ids unless the thumbprint is made anew',
  'y with bits left over': 'as above, for left-over bits',
  'x with a leading zero byte': 'as above, for leading zeros',
  'y with a leading zero byte': 'as above',
  'y in an array': 'an array of one text becomes that text',
  'iat with a fraction': 'a NumericDate may have a fraction',
  'exp beyond every number': 'Infinity is a number, and in the future',
};

/** The forged and malformed tokens that it takes, given the right key, issuer and audience. */
const TOKENS: Why = {
  ...JWS,
  'over 6 KiB': 'it has no limit to size',
  'no kid': 'whoever is given one key does not look at kid',
  'a kid cut short': 'as above',
  'a kid in an array': 'as above',
  'a kid that is SQL': 'as above',
  'a kid that is a number': 'as above',
  'a kid that is a path': 'as above',
  'a padded kid': 'as above',
  'the kid of nobody': 'as above',
  'b64 false': 'b64 counts only where crit names it',
};

const device: DeviceKey = generateDeviceKey();
const signingKey = generateSigningKey();
const nonce = createNonces({ secrets: keyRing().deriveSecrets('dpop-nonce') }).issue(nowSeconds());
const times = new Set(['iat-form', 'iat-window', 'exp', 'nbf']);
const proofCases = [...proofFormCases, ...proofKeyCases, ...proofSignatureCases, ...proofClaimCases.filter(({ refusal }) => times.has(refusal!.reason))];

function sceneOf(tokenKind: Scene['tokenKind']): Scene {
  return newScene({ device, stranger: generateDeviceKey(), signingKey, nonce, tokenKind });
}

const takesProof = (proof: string): Promise<boolean> => verifies(() => jwtVerify(proof, EmbeddedJWK, { algorithms: ['ES256'], typ: 'dpop+jwt', maxTokenAge: 60 }));
const takesToken = (token: string): Promise<boolean> =>
  verifies(() => jwtVerify(token, publicKeyOf(signingKey.publicJwk), { algorithms: ['ES256'], typ: 'latchkey-content+jwt', issuer: 'latchkey', audience: LICENSE_URL }));

async function verifies(verify: () => Promise<unknown>): Promise<boolean> {
  return verify().then(
    () => true,
    () => false,
  );
}

async function takenOf(cases: readonly HostileCase[], takes: (draft: { proof: string; token: string }) => Promise<boolean>): Promise<string[]> {
  const taken: string[] = [];
  for (const { name, hostile, tokenKind } of cases) if (await takes(await draftRequest(sceneOf(tokenKind), hostile))) taken.push(name);
  return taken.sort();
}

describe('a JOSE library alone', () => {
  it('takes these of the hostile proofs', async () => {
    expect(await takenOf(proofCases, ({ proof }) => takesProof(proof))).toEqual(Object.keys(PROOFS).sort());
  });

  it('takes these of the forged and malformed tokens', async () => {
    expect(await takenOf(tokenForgeryCases, ({ token }) => takesToken(token))).toEqual(Object.keys(TOKENS).sort());
  });

  it('takes the right ones, so that the tables say something', async () => {
    const { proof, token } = await draftRequest(sceneOf('content'));
    expect([await takesProof(proof), await takesToken(token)]).toEqual([true, true]);
  });
});
