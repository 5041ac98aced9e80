import { type Confidence, vocabulary } from '@latchkey/contracts';

/** The confidences of devices to which a merchant sells nothing, by merchant. */
export type ConfidencePolicy = ReadonlyMap<string, ReadonlySet<Confidence>>;

/** Reads `merchant:confidence` pairs, separated by commas; undefined where one is malformed. */
export function readConfidencePolicy(text: string): ConfidencePolicy | undefined {
  const policy = new Map<string, Set<Confidence>>();
  for (const pair of text.split(',').map((part) => part.trim()).filter((part) => part !== '')) {
    const [merchant, stated, ...more] = pair.split(':');
    const merchantId = vocabulary.merchantId.safeParse(merchant);
    const confidence = vocabulary.confidence.safeParse(stated);
    if (!merchantId.success || !confidence.success || more.length > 0) return undefined;
    policy.set(merchantId.data, (policy.get(merchantId.data) ?? new Set()).add(confidence.data));
  }
  return policy;
}

/** Whether the merchant sells nothing to devices of this confidence. */
export function isRefused(policy: ConfidencePolicy, merchantId: string, confidence: Confidence): boolean {
  return policy.get(merchantId)?.has(confidence) ?? false;
}
