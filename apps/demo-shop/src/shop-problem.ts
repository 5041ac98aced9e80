/** What the shop itself refuses: the status, and a sentence that says what the viewer can do. */
const refusals = {
  'foreign-host': { status: 403, detail: 'This shop answers on this machine only: open it at the address that Latchkey printed when it started.' },
  'foreign-origin': { status: 403, detail: 'This request came from another site, so nothing was done: use the shop’s own page.' },
  'not-json': { status: 415, detail: 'The shop could not read this request: reload the page and try again.' },
  'invalid-request': { status: 400, detail: 'The shop could not make sense of this request: reload the page and try again.' },
  'too-large': { status: 413, detail: 'This request is larger than anything the shop takes: reload the page and try again.' },
  'no-customer': { status: 401, detail: 'The shop does not know this browser any more: reload the page to come in again.' },
  'not-found': { status: 404, detail: 'There is nothing at this address: go back to the programme at /demo.' },
  'film-unknown': { status: 404, detail: 'This film is not in the programme: choose one that is.' },
  'ticket-unknown': { status: 404, detail: 'This is not one of your tickets: reload the page to see those that are.' },
  'too-many-tickets': { status: 409, detail: 'Your pocket is full: twenty-four tickets are all that one browser can hold here.' },
  'too-many-viewers': { status: 503, detail: 'Too many pages of this shop are open at once: close one and reload.' },
  'device-unknown': { status: 404, detail: 'This is not one of your devices: reload the page to see those that are.' },
  'device-revoked': { status: 409, detail: 'This device was revoked, and that is for good: start again as a new device.' },
  'cookie-bound': { status: 409, detail: 'Another device was registered in this place first: start again as a new device.' },
  'purchase-refunded': { status: 409, detail: 'This ticket was given back: buy or rent the film again to watch it.' },
  'token-not-issued': { status: 404, detail: 'The ticket waits for a device: register this browser, and it is issued at once.' },
  unavailable: { status: 503, detail: 'A part of Latchkey does not answer at the moment: try again in a few seconds.' },
  internal: { status: 500, detail: 'Something went wrong in the shop: try again, and look into Latchkey’s log if it stays so.' },
} as const satisfies Record<string, { readonly status: number; readonly detail: string }>;

/** A stable code of the table above. */
export type ShopProblemCode = keyof typeof refusals;

/** A refusal, rendered as a problem document (RFC 9457). What Latchkey refused keeps its code where the viewer can act on it. */
export class ShopProblem extends Error {
  override readonly name = 'ShopProblem';
  readonly status: number;

  constructor(
    readonly code: ShopProblemCode,
    options: { readonly cause?: unknown } = {},
  ) {
    super(refusals[code].detail, options);
    this.status = refusals[code].status;
  }

  /** The document that the page receives. */
  toDocument(): object {
    return { type: `urn:latchkey:demo-shop:problem:${this.code}`, title: this.code.replaceAll('-', ' '), status: this.status, code: this.code, detail: this.message };
  }
}

/** The shop's word for a refusal of Latchkey; `unavailable` for what a viewer could do nothing about but wait. */
export function problemOfRefusal(code: string): ShopProblem {
  if (code === 'purchase-unknown') return new ShopProblem('ticket-unknown');
  return new ShopProblem(Object.hasOwn(refusals, code) ? (code as ShopProblemCode) : 'unavailable', { cause: code });
}
