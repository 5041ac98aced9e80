/** A film of the programme. */
export interface FilmView {
  readonly contentId: string;
  /** 32 lower-case hex: what a token for it names. */
  readonly kid: string;
  readonly title: string;
  readonly line: string;
  readonly about: string;
  readonly durationSeconds: number;
  readonly manifestUrl: string;
  readonly priceToBuy: string;
  readonly priceToRent: string;
}

/** How a film was paid for. */
export type TicketKind = 'buy' | 'rent';

/** A purchase of this customer, as Latchkey knows it now. */
export interface TicketView {
  readonly purchaseId: string;
  readonly contentId: string;
  readonly kind: TicketKind;
  readonly state: 'awaiting-device' | 'issued' | 'rejected' | 'refunded';
  readonly boughtAt: string;
  /** How long a rental plays from its first licence, in seconds. */
  readonly playDurationSeconds?: number;
}

/** A device of this customer. */
export interface DeviceView {
  readonly deviceId: string;
  readonly state: string;
  readonly registeredAt: string;
}

/** Everything that the page shows of the shop. */
export interface ShopView {
  readonly films: readonly FilmView[];
  readonly rentalSeconds: number;
  readonly licenseUrl: string;
  /** The device that this browser's cookie is bound to. */
  readonly device: { readonly deviceId: string; readonly state: string } | null;
  readonly devices: readonly DeviceView[];
  /** Newest first. */
  readonly tickets: readonly TicketView[];
}

/** What a browser needs to register. */
export interface RegistrationView {
  readonly token: string;
  readonly licenseUrl: string;
}

/** A content token, and where it is taken. */
export interface TokenView {
  readonly token: string;
  readonly licenseUrl: string;
}

/** An event of this customer: what is fit to be seen in a browser, never a cookie of Latchkey. */
export interface ShopEvent {
  readonly type: string;
  readonly deviceId?: string;
  readonly contentId?: string;
  readonly purchaseId?: string;
  readonly tokenId?: string;
  readonly code?: string;
  readonly reason?: string;
}

/** A refusal of the shop (RFC 9457): `detail` is a sentence for the viewer. */
export interface ProblemView {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}
