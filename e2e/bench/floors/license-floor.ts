// The floor of the licence path: node:http by hand, with the product's own cryptography and checks, and nothing else. It
// remembers proofs in memory, starts no clock, writes nothing and tells no one. What the product costs beyond it is the
// price of durability, of Nest and of our own work.
import { createServer } from 'node:http';
import {
  checkProofClaims,
  checkProofForm,
  checkTokenParties,
  checkTokenTimes,
  createNonces,
  encodeBase64url,
  type EcPublicJwk,
  parseKeyRing,
  publicKeyOf,
  readToken,
} from '@latchkey/crypto';

const env = (name: string): string => process.env[name]!;
const licenseUrl = env('FLOOR_LICENSE_URL');
const { keys } = JSON.parse(env('FLOOR_JWKS')) as { keys: (EcPublicJwk & { kid: string })[] };
const parsed = parseKeyRing(env('FLOOR_KEK'));
if (!parsed.ok) throw new Error('FLOOR_KEK is malformed');
const keyRing = parsed.ring;
const signingKeys = new Map(keys.map(({ kid, kty, crv, x, y }) => [kid, publicKeyOf({ kty, crv, x, y })]));
const nonces = createNonces({ secrets: keyRing.deriveSecrets('dpop-nonce') });
const used = new Set<string>();

/** The licence, or undefined where any check fails. */
function licenseFor(authorization: string, proofText: string, body: string): object | undefined {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const tokenText = authorization.slice('DPoP '.length);
  const form = checkProofForm(proofText);
  if (!form.ok) return undefined;
  const { thumbprint, claims } = form.proof;
  const proof = checkProofClaims(claims, { htm: 'POST', htu: licenseUrl, accessToken: tokenText, nowSeconds, iatWindowSeconds: 60 });
  if (!proof.ok || claims.nonce === undefined || !nonces.isFresh(claims.nonce, nowSeconds)) return undefined;
  const token = readToken(tokenText);
  if (!token.ok || token.kind !== 'content') return undefined;
  const signingKey = signingKeys.get(token.keyId);
  if (!signingKey || !token.verify(signingKey)) return undefined;
  const parties = checkTokenParties(token.claims, { iss: token.claims.iss, aud: licenseUrl });
  if (!checkTokenTimes(token.claims, nowSeconds).ok || !parties.ok || token.claims.cnf?.jkt !== thumbprint) return undefined;
  const { kids } = JSON.parse(body) as { kids: string[] };
  const { merchant } = token.claims;
  const opened = kids.map((kid) => {
    const hex = Buffer.from(kid, 'base64url').toString('hex');
    const wrapped = token.claims.keys[token.claims.kids.indexOf(hex)];
    const key = wrapped === undefined ? undefined : keyRing.unwrapContentKey({ merchantId: merchant, kid: hex, wrapped });
    return key && { kty: 'oct', kid, k: encodeBase64url(key) };
  });
  const mark = `${thumbprint} ${proof.jti}`;
  if (opened.includes(undefined) || used.has(mark)) return undefined;
  used.add(mark);
  return { keys: opened, type: 'temporary' };
}

const server = createServer((request, response) => {
  if (request.method === 'GET') return void response.end();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const license = licenseFor(String(request.headers.authorization), String(request.headers['dpop']), Buffer.concat(chunks).toString());
    const text = JSON.stringify(license ?? { code: 'refused' });
    response.writeHead(license ? 200 : 401, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'dpop-nonce': nonces.issue(Math.floor(Date.now() / 1000)),
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  });
});
server.listen(Number(env('FLOOR_PORT')), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
