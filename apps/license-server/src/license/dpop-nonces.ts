import { createNonces, type Nonces } from '@latchkey/crypto';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { LicenseServerConfiguration } from '../config.js';

/** The server's DPoP nonces. Derived from the KEKs, which all replicas have: each honours what another handed out. */
@Injectable()
export class DpopNonces implements Nonces {
  private readonly nonces: Nonces;

  constructor(@Inject(CONFIGURATION) { keyRing }: LicenseServerConfiguration) {
    this.nonces = createNonces({ secrets: keyRing.deriveSecrets('dpop-nonce') });
  }

  issue(nowSeconds: number): string {
    return this.nonces.issue(nowSeconds);
  }

  isFresh(nonce: string, nowSeconds: number): boolean {
    return this.nonces.isFresh(nonce, nowSeconds);
  }
}
