import type { LatchkeyToken } from '@latchkey/crypto';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { LicenseServerConfiguration } from '../config.js';
import { type CheckedProof, checkProof } from './check-proof.js';
import { refuseKey, refuseToken } from './check-token.js';
import { type DeviceRequest, readCredentials } from './credentials.js';
import { DpopNonces } from './dpop-nonces.js';
import { GenuineTokens } from './genuine-tokens.js';
import { type LicenseRefusal, refuse } from './refusal.js';

/** The route that a request reached: a proof for one is worth nothing at the other. */
export interface DeviceRoute {
  /** In capitals. */
  readonly method: string;
  /** The public URL, byte for byte. */
  readonly url: string;
}

/** Whoever sent a request with a genuine token and a good proof, whether or not the two belong together. */
export interface ProvenDevice {
  readonly ok: true;
  readonly token: LatchkeyToken;
  readonly proof: CheckedProof;
  /** Why the token is worth nothing to this device now: its times, its parties, its binding. It can be told to its merchant. */
  readonly refusal: LicenseRefusal | undefined;
}

/**
 * What devices are asked on every route of theirs, in the contract's order: transport → proof's form and signature → its
 * claims → nonce → token → binding. Nothing is written, so that what is refused later has used nothing up. That the proof
 * is used once only is the last step of each route, with what it admits.
 */
@Injectable()
export class DeviceAuthentication {
  constructor(
    private readonly nonces: DpopNonces,
    private readonly tokens: GenuineTokens,
    @Inject(CONFIGURATION) private readonly configuration: LicenseServerConfiguration,
  ) {}

  /** Checks one request. Never rejects for what a request holds, nor for a database that is away. */
  async check(request: Pick<DeviceRequest, 'headers' | 'query'>, route: DeviceRoute): Promise<ProvenDevice | LicenseRefusal> {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const { licenseUrl, tokenIssuer } = this.configuration;

    const credentials = readCredentials(request);
    if (!credentials.ok) return refuse('transport', credentials.reason);
    const isFreshNonce = (nonce: string): boolean => this.nonces.isFresh(nonce, nowSeconds);
    const proof = checkProof(credentials, { ...route, nowSeconds, isFreshNonce });
    if (!proof.ok) return proof;
    const token = await this.tokens.read(credentials.token);
    if (!token.ok) return token;
    const refusal = refuseToken(token, { iss: tokenIssuer, aud: licenseUrl }, nowSeconds) ?? refuseKey(token, proof.deviceId);
    return { ok: true, token, proof, refusal };
  }
}
