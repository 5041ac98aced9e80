import { accessTokenHash, type DeviceKey, newId, signEs256, type SigningKey } from '@latchkey/crypto';
import { CONTENT_KEY, KID, keyRing, kidInRequest, LICENSE_URL, MERCHANT, TOKENS_URL } from '../bench.js';

export type Json = Record<string, unknown>;
export type Header = readonly [name: string, value: string];
type Step<Value, Result = Value> = (value: Value, scene: Scene) => Result;

/** A route of devices: what is asked there, and what a proof has to name. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly url: string;
  /** The right body: for licences, one that asks for the kid that the token has. */
  readonly body: string;
}

/** What a hostile request and its valid twin have in common. */
export interface Scene {
  readonly route: Route;
  readonly device: DeviceKey;
  /** Somebody else's key. */
  readonly stranger: DeviceKey;
  readonly signingKey: SigningKey;
  /** A good nonce. */
  readonly nonce: string;
  readonly nowSeconds: number;
  readonly tokenKind: 'content' | 'registration';
  readonly jti: string;
  readonly tokenId: string;
}

/** How a JWS departs from the right one. Each step is given what the right one has there, and the next goes on from it. */
export interface JwsChange {
  readonly header?: Step<Json>;
  readonly headerText?: Step<string, string | Uint8Array>;
  readonly claims?: Step<Json>;
  readonly claimsText?: Step<string, string | Uint8Array>;
  /** The encoded header and claims, before they are signed. */
  readonly parts?: Step<readonly [header: string, claims: string]>;
  /** Who signs, where it is not the one who should. */
  readonly signer?: (scene: Scene) => DeviceKey['privateKey'];
  readonly signature?: (right: Uint8Array, scene: Scene, signingInput: string) => Uint8Array | Promise<Uint8Array>;
  readonly compact?: Step<string>;
}

/** How a request departs from the right one. */
export interface RequestChange {
  readonly token?: JwsChange;
  readonly proof?: JwsChange;
  /** What the request line asks for in place of the route's path. */
  readonly target?: (path: string) => string;
  readonly headers?: (headers: readonly Header[], scene: Scene) => readonly Header[];
  readonly body?: string | Uint8Array;
}

/** A request, as it goes over the wire. */
export interface Draft {
  readonly method: string;
  readonly token: string;
  readonly proof: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: string | Uint8Array;
}

/** The right body: it asks for the one kid that the token has. */
export const BODY = JSON.stringify({ kids: [kidInRequest(KID)], type: 'temporary' });

/** Where devices ask for licences, and where for their tokens. */
export const LICENSES: Route = { method: 'POST', path: '/v1/licenses', url: LICENSE_URL, body: BODY };
export const TOKENS: Route = { method: 'GET', path: '/v1/device/tokens', url: TOKENS_URL, body: '' };

/** A request that is right, but for the change. */
export async function draftRequest(scene: Scene, change: RequestChange = {}): Promise<Draft> {
  const token = await makeJws(rightToken(scene), change.token ?? {}, scene);
  const proof = await makeJws(rightProof(scene, token), change.proof ?? {}, scene);
  const headers: readonly Header[] = [
    ['Authorization', `DPoP ${token}`],
    ['DPoP', proof],
  ];
  const { method, path, body } = scene.route;
  const target = change.target?.(path) ?? path;
  return { method, token, proof, target, headers: change.headers?.(headers, scene) ?? headers, body: change.body ?? body };
}

/** Unpadded base64url of a text or of bytes. */
export function b64(content: string | Uint8Array): string {
  return Buffer.from(content).toString('base64url');
}

interface RightJws {
  readonly header: Json;
  readonly claims: Json;
  readonly signer: DeviceKey['privateKey'];
}

function rightProof({ device, jti, nonce, nowSeconds, route }: Scene, token: string): RightJws {
  const { kty, crv, x, y } = device.publicJwk;
  return {
    header: { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } },
    claims: { jti, htm: route.method, htu: route.url, iat: nowSeconds, ath: accessTokenHash(token), nonce },
    signer: device.privateKey,
  };
}

function rightToken({ device, signingKey, nowSeconds, tokenId, tokenKind }: Scene): RightJws {
  const envelope = { iss: 'latchkey', aud: LICENSE_URL, iat: nowSeconds - 1, exp: nowSeconds + 3_600, jti: tokenId, merchant: MERCHANT, cookie: 'cookie-1' };
  const wrapped = keyRing().wrapContentKey({ merchantId: MERCHANT, kid: KID, key: CONTENT_KEY });
  return {
    header: { alg: 'ES256', kid: signingKey.keyId, typ: `latchkey-${tokenKind}+jwt` },
    claims:
      tokenKind === 'registration'
        ? { ...envelope, account: 'a1', cookie_exp: nowSeconds + 3_600 }
        : { ...envelope, content: 'film', kids: [KID], keys: [wrapped], rights: { type: 'purchase' }, cnf: { jkt: device.deviceId } },
    signer: signingKey.privateKey,
  };
}

async function makeJws(right: RightJws, change: JwsChange, scene: Scene): Promise<string> {
  const after = <Value, Result>(value: Value & Result, step: Step<Value, Result> | undefined): Result => (step ? step(value, scene) : value);
  const header = after(JSON.stringify(after(right.header, change.header)), change.headerText);
  const claims = after(JSON.stringify(after(right.claims, change.claims)), change.claimsText);
  const signingInput = after([b64(header), b64(claims)] as const, change.parts).join('.');
  const signed = signEs256(change.signer?.(scene) ?? right.signer, signingInput);
  const signature = change.signature ? await change.signature(signed, scene, signingInput) : signed;
  return after(`${signingInput}.${b64(signature)}`, change.compact);
}

/** A scene of a device that nobody has seen before, at this moment. */
export function newScene(parts: Pick<Scene, 'device' | 'stranger' | 'signingKey' | 'nonce' | 'tokenKind'>, route = LICENSES): Scene {
  return { ...parts, route, nowSeconds: Math.floor(Date.now() / 1000), jti: newId('jti'), tokenId: newId('tok') };
}
