import { createNonces, generateDeviceKey } from '@latchkey/crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bench, keyRing, nowSeconds, openBenchWithReplica, type Replica } from '../bench.js';
import { type Draft, draftRequest, type Json, newScene, type RequestChange, type Scene } from './draft.js';
import { malleate } from './p256.js';
import { sendRaw } from './raw-http.js';

const nonces = createNonces({ secrets: keyRing().deriveSecrets('dpop-nonce') });
let bench: Bench & { replica: Replica };
let replicas: readonly Replica[];

beforeAll(async () => {
  bench = await openBenchWithReplica();
  replicas = [bench.replica, await bench.start()];
});
afterAll(async () => bench?.close());

function newDeviceScene(): Scene {
  return newScene({ device: generateDeviceKey(), stranger: generateDeviceKey(), signingKey: bench.signingKey, nonce: nonces.issue(nowSeconds()), tokenKind: 'content' });
}

async function codeOf(draft: Draft, at: Replica): Promise<string> {
  const { status, text } = await sendRaw(at.url, draft);
  return status === 200 ? 'granted' : (JSON.parse(text) as { code: string }).code;
}

const draft = (scene: Scene, change?: RequestChange): Promise<Draft> => draftRequest(scene, change);
const inClaims = (change: (claims: Json) => Json): RequestChange => ({ proof: { claims: change } });

/** The same jti of the same key in other words. Whoever goes by a proof's bytes or its hash takes each for a new one. */
const sameProofInOtherWords: Readonly<Record<string, RequestChange>> = {
  'signed once more': {},
  'malleated': { proof: { signature: malleate } },
  'with its claims in another order': inClaims((claims) => Object.fromEntries(Object.entries(claims).reverse())),
  'with white space': { proof: { claimsText: (text) => ` ${text}` } },
  'with its jti escaped': { proof: { claimsText: (text) => text.replace('"jti":"jti_', '"jti":"\\u006ati_') } },
  'with another claim': inClaims((claims) => ({ ...claims, x: 1 })),
  'with another iat': inClaims((claims) => ({ ...claims, iat: (claims['iat'] as number) - 10 })),
  'with another nonce': inClaims((claims) => ({ ...claims, nonce: nonces.issue(nowSeconds() - 5) })),
  'with its jwk in another order': { proof: { header: (header) => ({ ...header, jwk: Object.fromEntries(Object.entries(header['jwk'] as Json).reverse()) }) } },
  'for another token': { token: { claims: (claims) => ({ ...claims, jti: `${claims['jti'] as string}_2` }) } },
};

describe('a used proof', () => {
  it.each(Object.entries(sameProofInOtherWords))('%s is refused at either replica', async (_, change) => {
    const scene = newDeviceScene();
    const [first, again] = [await draft(scene), await draft(scene, change)];
    expect(again.proof).not.toBe(first.proof);
    expect(await codeOf(first, replicas[0]!)).toBe('granted');
    for (const replica of replicas) expect(await codeOf(again, replica)).toBe('invalid-dpop-proof');
    expect(await codeOf(await draft({ ...scene, jti: `${scene.jti}_2` }, change), replicas[1]!)).toBe('granted');
  });

  it('leaves the same jti to another key', async () => {
    const [mine, theirs] = [newDeviceScene(), newDeviceScene()];
    expect(await codeOf(await draft(mine), replicas[0]!)).toBe('granted');
    expect(await codeOf(await draft({ ...theirs, jti: mine.jti }), replicas[0]!)).toBe('granted');
  });

  it('in forty words that come at once to two replicas opens one licence', async () => {
    const words = Object.values(sameProofInOtherWords);
    for (let round = 0; round < 3; round += 1) {
      const scene = newDeviceScene();
      const drafts = await Promise.all(Array.from({ length: 40 }, (_, index) => draft(scene, words[index % words.length])));
      expect(new Set(drafts.map(({ proof }) => proof)).size).toBe(40);
      const codes = await Promise.all(drafts.map((each, index) => codeOf(each, replicas[index % 2]!)));
      expect(codes.sort()).toEqual(['granted', ...Array<string>(39).fill('invalid-dpop-proof')]);
    }
  });
});
