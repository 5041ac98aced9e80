import { createNonces } from '@latchkey/crypto';
import { keyRing } from '../bench.js';
import { b64, type JwsChange, type Scene } from './draft.js';
import { type HostileCase, refusedFor } from './hostile-case.js';
import { nonCanonical } from './jws-form.js';

const withNonce = (change: (nonce: string, scene: Scene) => unknown): { proof: JwsChange } => ({
  proof: { claims: (claims, scene) => ({ ...claims, nonce: change(claims['nonce'] as string, scene) }) },
});
const ours = (secret = keyRing().deriveSecrets('dpop-nonce')[0]!): ReturnType<typeof createNonces> => createNonces({ secrets: [secret] });

/** Nonces that the server did not hand out, or not lately. */
export const nonceCases: readonly HostileCase[] = [
  ...refusedFor(['nonce', 'missing', 'use-dpop-nonce'], {
    'no nonce': withNonce(() => undefined),
    'nonce null': withNonce(() => null),
    'nonce a number': withNonce(() => 1),
    'nonce in an array': withNonce((nonce) => [nonce]),
  }),
  ...refusedFor(['nonce', 'not-fresh', 'use-dpop-nonce'], {
    'an empty nonce': withNonce(() => ''),
    'a made-up nonce': withNonce(() => 'n'),
    'a made-up nonce of the right length': withNonce((nonce) => nonce.replace(/.{10}$/, 'AAAAAAAAAA')),
    'a nonce cut short': withNonce((nonce) => nonce.slice(0, -4)),
    'a nonce with more behind it': withNonce((nonce) => `${nonce}AAAA`),
    'a padded nonce': withNonce((nonce) => `${nonce}==`),
    'a nonce with a bit left over': withNonce(nonCanonical),
    'a nonce in capitals': withNonce((nonce) => nonce.toUpperCase()),
    'two nonces': withNonce((nonce) => `${nonce} ${nonce}`),
    'a nonce of five minutes ago': [withNonce((_, { nowSeconds }) => ours().issue(nowSeconds - 300)), withNonce((_, { nowSeconds }) => ours().issue(nowSeconds - 280))],
    'a nonce of the future': [withNonce((_, { nowSeconds }) => ours().issue(nowSeconds + 60)), withNonce((_, { nowSeconds }) => ours().issue(nowSeconds))],
    'a nonce of another secret': [withNonce((_, { nowSeconds }) => ours(Buffer.alloc(32, 9)).issue(nowSeconds)), withNonce((_, { nowSeconds }) => ours().issue(nowSeconds))],
    'a nonce of the KEK for another purpose': [
      withNonce((_, { nowSeconds }) => ours(keyRing().deriveSecrets('other')[0]).issue(nowSeconds)),
      withNonce((_, { nowSeconds }) => ours().issue(nowSeconds)),
    ],
    'the time of a nonce turned on': withNonce((nonce) => {
      const bytes = Buffer.from(nonce, 'base64url');
      bytes.writeUIntBE(bytes.readUIntBE(0, 6) + 1, 0, 6);
      return b64(bytes);
    }),
  }),
];
