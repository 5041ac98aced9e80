import type { ProblemView, RegistrationView, ShopView, TicketKind, TicketView, TokenView } from './shop-api.js';

/** A refusal of the shop; its message is a sentence for the viewer. */
export class ShopRefusal extends Error {
  override readonly name = 'ShopRefusal';

  constructor(
    readonly code: string,
    sentence: string,
  ) {
    super(sentence);
  }
}

async function call<T>(path: string, body?: object): Promise<T> {
  const init = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`/demo/api/${path}`, init).catch(() => {
    throw new ShopRefusal('network', 'The shop does not answer: check that Latchkey is running, then try again.');
  });
  if (response.status === 204) return undefined as T;
  const answer = (await response.json().catch(() => ({}))) as unknown;
  if (response.ok) return answer as T;
  const { code, detail } = answer as Partial<ProblemView>;
  throw new ShopRefusal(code ?? 'unavailable', detail ?? 'The shop does not answer as it should: try again in a few seconds.');
}

/** The merchant's back end, as the page sees it. Every method rejects with a `ShopRefusal`. */
export const shopClient = {
  view: (): Promise<ShopView> => call('shop'),
  register: (): Promise<RegistrationView> => call('registration', {}),
  startAgain: (): Promise<void> => call('new-device', {}),
  buy: (contentId: string, kind: TicketKind): Promise<TicketView> => call('tickets', { contentId, kind }),
  token: (purchaseId: string): Promise<TokenView> => call(`tickets/${purchaseId}/token`, {}),
  refund: (purchaseId: string): Promise<void> => call(`tickets/${purchaseId}/refund`, {}),
  revoke: (deviceId: string): Promise<void> => call(`devices/${encodeURIComponent(deviceId)}/revoke`, {}),
};
