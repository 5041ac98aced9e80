/** A Latchkey that runs, as helpers need to know it: a container, a stack, or one that was started some other way. */
export interface Latchkey {
  /** Origin of the gateway, without a slash at its end. */
  readonly gatewayUrl: string;
  /** The licence URL byte for byte: what proofs are made for. */
  readonly licenseUrl: string;
  /** An API key of the merchant that purchases belong to. */
  readonly apiKey: string;
}
