import { type LatchkeyToken, readToken } from '@latchkey/crypto';
import { Logger } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import { type LicenseRefusal, refuse } from './refusal.js';

// Only what our own issuer signed gets in here, so a stranger cannot fill it. A token is a few kilobytes.
const TOKENS_MAX = 5_000;

/** A token in good form with a good signature. Nothing else about it has been looked at. */
export type GenuineToken = LatchkeyToken | LicenseRefusal;

/**
 * Tells genuine tokens from others. What was found genuine is remembered by its exact text (least recently used leaves
 * first): a player asks with the same token again and again, and verifying is a third of what a licence costs. Only
 * the signature is remembered, which cannot become bad; everything that can is checked for each request.
 */
@Injectable()
export class GenuineTokens {
  private readonly known = new Map<string, LatchkeyToken>();

  constructor(
    private readonly signingKeys: SigningKeys,
    private readonly logger: Logger,
  ) {}

  /** Reads the token and verifies it. Never rejects: where its signing key cannot be looked up, it is not known to be genuine. */
  async read(text: string): Promise<GenuineToken> {
    const known = this.known.get(text);
    if (known) {
      // A Map iterates in order of insertion: put at the end again, the first is the longest unused.
      this.known.delete(text);
      this.known.set(text, known);
      return known;
    }
    const token = readToken(text);
    if (!token.ok) return refuse('token', token.reason);
    try {
      const publicKey = await this.signingKeys.find(token.keyId);
      if (!publicKey) return refuse('token', 'key-unknown');
      if (!token.verify(publicKey)) return refuse('token', 'signature');
    } catch (error) {
      this.logger.warn('a signing key could not be looked up', {}, error);
      return refuse('unavailable', 'database');
    }
    this.remember(text, token);
    return token;
  }

  private remember(text: string, token: LatchkeyToken): void {
    if (this.known.size >= TOKENS_MAX) {
      const [oldest] = this.known.keys();
      if (oldest !== undefined) this.known.delete(oldest);
    }
    this.known.set(text, token);
  }
}
