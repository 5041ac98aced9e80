import type { Customer, CustomerBook, Ticket } from './customer-book.js';
import type { Film } from './films.js';
import { type LatchkeyClient } from './latchkey-client.js';
import type { DeviceView, RegistrationView, ShopView, TicketKind, TicketView, TokenView } from './page/shop-api.js';
import { ShopProblem } from './shop-problem.js';

const COOKIE_TTL_SECONDS = 30 * 24 * 3600;
/** A rental has to be begun within two days. */
const RENTAL_WINDOW_MS = 48 * 3_600_000;
const TICKETS_MAX = 24;
/** Cookies of one customer that events are still shown for. */
const COOKIES_MAX = 24;
const PRICES = { priceToBuy: '€ 9', priceToRent: '€ 3' };

/** What the shop is made of. */
export interface ShopParts {
  readonly latchkey: LatchkeyClient;
  readonly book: CustomerBook;
  readonly films: ReadonlyMap<string, Film>;
  readonly licenseUrl: string;
  /** How long a rental plays from its first licence, in seconds. */
  readonly rentalSeconds: number;
}

/** What a customer can do in the shop. Throws a `ShopProblem`, or passes a refusal of Latchkey on. */
export class Shop {
  /** Films whose content key Latchkey has. */
  private readonly stored = new Set<string>();
  /** Cookies that are being made, by account: two calls at once must not make two, of which one is lost. */
  private readonly making = new Map<string, Promise<string>>();

  constructor(private readonly parts: ShopParts) {}

  /** Everything that the page shows. */
  async view(customer: Customer): Promise<ShopView> {
    const { films, rentalSeconds, licenseUrl } = this.parts;
    const [device, devices, tickets] = await Promise.all([this.boundDevice(customer), this.devices(customer), this.tickets(customer)]);
    const shown = [...films.values()].map(({ contentId, kid, title, line, about, durationSeconds, manifest }) => ({
      ...{ contentId, kid, title, line, about, durationSeconds, manifestUrl: `/demo/media/${manifest}` },
      ...PRICES,
    }));
    return { films: shown, rentalSeconds, licenseUrl, device, devices, tickets };
  }

  /** A registration token for this customer's cookie. */
  async register(customer: Customer): Promise<RegistrationView> {
    const { token, licenseUrl } = await this.parts.latchkey.call<RegistrationView>('/v1/registration-tokens', { cookie: await this.cookie(customer) });
    return { token, licenseUrl };
  }

  /** Has the next device of this customer begin with a cookie of its own: one that is bound stays so for ever. */
  async startAgain(customer: Customer): Promise<void> {
    await this.newCookie(customer);
  }

  /** Sells a film. The ticket waits where no device is registered yet. */
  async buy(customer: Customer, contentId: string, kind: TicketKind): Promise<TicketView> {
    const { latchkey, films, book, rentalSeconds } = this.parts;
    const film = films.get(contentId);
    if (!film) throw new ShopProblem('film-unknown');
    if (customer.tickets.length >= TICKETS_MAX) throw new ShopProblem('too-many-tickets');
    if (!this.stored.has(film.kid)) await latchkey.call(`/v1/content-keys/${film.kid}`, { key: film.key, contentId }, 'PUT');
    this.stored.add(film.kid);
    const now = Date.now();
    const purchaseId = `demo-${crypto.randomUUID()}`;
    const rights = kind === 'buy' ? { type: 'purchase' } : { type: 'rental', availableUntil: new Date(now + RENTAL_WINDOW_MS).toISOString(), playDurationSeconds: rentalSeconds };
    const cookie = await this.cookie(customer);
    const { state } = await latchkey.call<{ state: TicketView['state'] }>('/v1/purchases', { purchaseId, cookie, contentId, kids: [film.kid], rights });
    const ticket: Ticket = { purchaseId, contentId, kind, boughtAt: new Date(now).toISOString(), ...(kind === 'rent' && { playDurationSeconds: rentalSeconds }) };
    customer.tickets.push(ticket);
    await book.save();
    return { ...ticket, state };
  }

  /** The content token of a ticket, waited for a moment. */
  async token(customer: Customer, purchaseId: string): Promise<TokenView> {
    this.refuseForeignTicket(customer, purchaseId);
    const { token, licenseUrl } = await this.parts.latchkey.call<TokenView>(`/v1/purchases/${purchaseId}/token?waitSeconds=5`);
    return { token, licenseUrl };
  }

  /** Gives a ticket back. */
  async refund(customer: Customer, purchaseId: string): Promise<void> {
    this.refuseForeignTicket(customer, purchaseId);
    await this.parts.latchkey.call(`/v1/purchases/${purchaseId}/refund`, { reason: 'given back in the demo shop' });
  }

  /** Revokes a device of this customer, for good. */
  async revoke(customer: Customer, deviceId: string): Promise<void> {
    if (!(await this.devices(customer)).some((device) => device.deviceId === deviceId)) throw new ShopProblem('device-unknown');
    await this.parts.latchkey.call(`/v1/devices/${encodeURIComponent(deviceId)}/revoke`, { reason: 'revoked in the demo shop' });
  }

  private async devices({ accountId }: Customer): Promise<readonly DeviceView[]> {
    const { devices } = await this.parts.latchkey.call<{ devices: DeviceView[] }>(`/v1/accounts/${accountId}/devices`);
    return devices.map(({ deviceId, state, registeredAt }) => ({ deviceId, state, registeredAt }));
  }

  private async boundDevice({ cookies }: Customer): Promise<ShopView['device']> {
    const cookie = cookies.at(-1);
    if (cookie === undefined) return null;
    const record = await this.parts.latchkey.callUnless<{ deviceId: string; state: string }>(['device-not-registered', 'cookie-unknown'], `/v1/cookies/${encodeURIComponent(cookie)}/device`);
    return record ? { deviceId: record.deviceId, state: record.state } : null;
  }

  private async tickets({ tickets }: Customer): Promise<readonly TicketView[]> {
    const known = await Promise.all(
      tickets.map(async (ticket) => {
        const purchase = await this.parts.latchkey.callUnless<{ state: TicketView['state'] }>(['purchase-unknown'], `/v1/purchases/${ticket.purchaseId}`);
        return purchase ? [{ ...ticket, state: purchase.state }] : [];
      }),
    );
    return known.flat().reverse();
  }

  /** The customer's cookie, a new one where there is none or it has expired before a device came. */
  private async cookie(customer: Customer): Promise<string> {
    const current = customer.cookies.at(-1);
    if (current !== undefined) {
      const view = await this.parts.latchkey.callUnless<{ state: string }>(['cookie-unknown'], `/v1/cookies/${encodeURIComponent(current)}`);
      if (view && view.state !== 'expired') return current;
    }
    return this.newCookie(customer);
  }

  private newCookie(customer: Customer): Promise<string> {
    const { accountId } = customer;
    const made =
      this.making.get(accountId) ??
      (async () => {
        const { cookie } = await this.parts.latchkey.call<{ cookie: string }>('/v1/cookies', { accountId, ttlSeconds: COOKIE_TTL_SECONDS });
        customer.cookies.push(cookie);
        customer.cookies.splice(0, customer.cookies.length - COOKIES_MAX);
        await this.parts.book.save();
        return cookie;
      })().finally(() => this.making.delete(accountId));
    this.making.set(accountId, made);
    return made;
  }

  private refuseForeignTicket({ tickets }: Customer, purchaseId: string): void {
    if (!tickets.some((ticket) => ticket.purchaseId === purchaseId)) throw new ShopProblem('ticket-unknown');
  }
}
