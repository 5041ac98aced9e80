import { type Device, DeviceError } from '@latchkey/device-sdk';
import { byId, element } from './element.js';
import { followEvents } from './flow.js';
import { drawDevices, drawTickets, isGood, type ListActions, turnClocks } from './lists.js';
import { FilmPlayer, PlaybackFailure } from './player.js';
import { leftMs, noteStart, showClock } from './rental-clock.js';
import { openCurtain, posterOf, showCard, showPoster, tell } from './screen.js';
import { answerOf, durationText, shortId, whyRefused } from './sentences.js';
import type { FilmView, ShopEvent, ShopView, TicketKind, TicketView } from './shop-api.js';
import { shopClient, ShopRefusal } from './shop-client.js';
import { readToken } from './token-facts.js';

/** What is on: a ticket of this customer, or a token that was pasted. */
interface NowPlaying {
  readonly film: FilmView;
  readonly token: string;
  readonly ticket: TicketView | undefined;
}

const REVOKED = ['Revoked', 'This browser was revoked, and that is for good. Choose “Start again as a new device” to go on.'] as const;
const VOID = ['Ticket void', 'This ticket stopped working, so the film stops. Buy or rent it to go on watching.'] as const;

/** The page: what is shown, and what becomes of each click. */
export class Cinema {
  private shop!: ShopView;
  private chosen!: FilmView;
  private playing: NowPlaying | undefined;
  private busy = false;
  private readonly player: FilmPlayer;
  private readonly actions: ListActions = {
    watch: (ticket) => void this.act(() => this.watch(ticket)),
    copy: (ticket) => void this.act(() => this.copy(ticket)),
    refund: (ticket) => void this.act(() => this.refund(ticket)),
    buy: (contentId, kind) => void this.act(() => this.buy(contentId, kind)),
    revoke: (deviceId) => void this.act(() => this.revoke(deviceId)),
  };

  constructor(
    private readonly device: Device,
    /** Gives this browser another key. */
    private readonly newKey: () => void,
  ) {
    this.player = new FilmPlayer(byId<HTMLVideoElement>('video'), device);
  }

  /** Opens the doors. */
  async open(): Promise<void> {
    this.shop = await shopClient.view();
    this.drawFilms();
    this.choose(this.shop.films[0]!);
    this.draw();
    const on = (id: string, act: () => Promise<void>): void => byId(id).addEventListener('click', () => void this.act(act));
    on('register', () => this.register());
    on('buy', () => this.buy(this.chosen.contentId, 'buy'));
    on('rent', () => this.buy(this.chosen.contentId, 'rent'));
    on('watch', () => this.watchChosen());
    on('try', () => this.tryPasted());
    on('new-device', () => this.startAgain());
    setInterval(() => this.tick(), 250);
    followEvents((contentId) => this.shop.films.find((film) => film.contentId === contentId)?.title ?? contentId, (event) => this.hear(event));
    tell(this.registered ? 'Welcome back. Your key and your tickets are where you left them.' : 'Welcome. Begin with step one: make this browser somebody.');
  }

  private get registered(): boolean {
    return this.shop.device?.deviceId === this.device.id && this.shop.device.state === 'active';
  }

  /** One thing at a time; whatever fails is told in a sentence. */
  private async act(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    document.body.setAttribute('aria-busy', 'true');
    try {
      await work();
    } catch (error) {
      if (error instanceof ShopRefusal) tell(error.message, 'bad');
      else if (error instanceof DeviceError) tell(whyRefused({ status: error.status, code: error.code, tokenDevice: undefined, ownDevice: this.device.id }), 'bad');
      else tell('Something went wrong on this page: reload it and try again.', 'bad');
      await this.refresh().catch(() => undefined);
    } finally {
      this.busy = false;
      document.body.removeAttribute('aria-busy');
    }
  }

  private async refresh(): Promise<void> {
    this.shop = await shopClient.view();
    this.draw();
  }

  private async register(): Promise<void> {
    tell('Making a key and proving it …');
    const { token } = await shopClient.register();
    await this.device.register(token);
    await this.refresh();
    tell(`This browser is ${shortId(this.device.id)} now. Choose a film.`, 'good');
  }

  private async buy(contentId: string, kind: TicketKind): Promise<void> {
    const ticket = await shopClient.buy(contentId, kind);
    const film = this.shop.films.find((each) => each.contentId === contentId)!;
    this.choose(film);
    // The token is issued the moment both the purchase and the device are known: that is when the ticket is good.
    if (this.registered) await shopClient.token(ticket.purchaseId);
    await this.refresh();
    const paid = kind === 'buy' ? 'is yours' : `is rented: ${durationText(this.shop.rentalSeconds)} from the moment you begin`;
    tell(this.registered ? `${film.title} ${paid}. Take your seat.` : `${film.title} is paid for. Register this browser, and the ticket is issued to it.`, 'good');
  }

  private watchChosen(): Promise<void> {
    const ticket = this.goodTicket();
    if (ticket) return this.watch(ticket);
    tell(`You have no valid ticket for ${this.chosen.title}. Buy or rent it first.`, 'bad');
    return Promise.resolve();
  }

  private async watch(ticket: TicketView): Promise<void> {
    const film = this.shop.films.find(({ contentId }) => contentId === ticket.contentId)!;
    this.choose(film);
    byId('screen').scrollIntoView({ block: 'nearest' });
    const { token } = await shopClient.token(ticket.purchaseId);
    await this.play({ film, token, ticket });
  }

  private async tryPasted(): Promise<void> {
    const token = byId<HTMLTextAreaElement>('pasted').value.trim();
    const facts = readToken(token);
    const film = facts && this.shop.films.find(({ kid }) => facts.kids.includes(kid));
    if (!film) return this.judge('This is not a ticket of this cinema. Copy the whole token on the other device and paste it here.', undefined);
    this.choose(film);
    await this.play({ film, token, ticket: undefined });
  }

  /** Plays, or says why not. */
  private async play(showing: NowPlaying): Promise<void> {
    const { film, token, ticket } = showing;
    this.playing = undefined;
    showPoster(film);
    showCard({ state: 'loading', eyebrow: 'One moment', title: film.title, text: 'This browser proves its key and asks for a licence.' });
    try {
      await this.player.play({ manifestUrl: film.manifestUrl, licenseUrl: this.shop.licenseUrl, token });
    } catch (error) {
      if (!(error instanceof PlaybackFailure)) throw error;
      return this.refused(error, showing);
    }
    this.playing = showing;
    if (ticket) noteStart(ticket);
    openCurtain();
    this.draw();
    tell(`${film.title} is playing, on this device and no other.`, 'good');
    if (!ticket) this.judge('It plays: this token was issued to this very browser.', undefined, 'good');
  }

  private refused({ code, status }: PlaybackFailure, { film, token, ticket }: NowPlaying): void {
    this.playing = undefined;
    if (code === 'unsupported' || code === 'player') {
      const words = 'This browser cannot play the film: try a current Chromium, Firefox or Edge.';
      showCard({ state: 'refused', eyebrow: 'Not here', title: film.title, text: words });
      return tell(words, 'bad');
    }
    const words = whyRefused({ status, code, tokenDevice: readToken(token)?.deviceId, ownDevice: this.device.id });
    const answer = answerOf({ status, code });
    showCard({ state: 'refused', eyebrow: 'No licence', title: film.title, text: words, answer });
    tell(words, 'bad');
    if (!ticket) this.judge(words, answer);
    this.draw();
  }

  private async copy(ticket: TicketView): Promise<void> {
    const { token } = await shopClient.token(ticket.purchaseId);
    const shown = byId<HTMLTextAreaElement>('copied');
    shown.value = token;
    const copied = await navigator.clipboard?.writeText(token).then(() => true, () => false);
    if (!copied) shown.select();
    tell(copied ? 'The token is copied. Open this page in another browser or profile and paste it there.' : 'The token stands below, ready to be copied. Take it to another browser and paste it there.');
  }

  private async refund({ purchaseId }: TicketView): Promise<void> {
    // Looked at first: the event may be faster than the answer, and then nothing plays any more.
    const playing = this.playing?.ticket?.purchaseId === purchaseId;
    await shopClient.refund(purchaseId);
    await this.refresh();
    if (playing) await this.end('Given back', 'This ticket was given back, so the film stops. Buy or rent it to go on watching.');
    else tell('The ticket was given back, and its token stopped working. Choose another film.', 'good');
  }

  private async revoke(deviceId: string): Promise<void> {
    await shopClient.revoke(deviceId);
    await this.refresh();
    if (deviceId !== this.device.id) return tell('The device is revoked: it gets no licence any more.', 'good');
    await this.end(...REVOKED);
  }

  private async startAgain(): Promise<void> {
    await shopClient.startAgain();
    this.newKey();
  }

  /** Ends what plays and draws the curtain. */
  private async end(eyebrow: string, words: string, answer?: string): Promise<void> {
    const title = this.playing?.film.title ?? this.chosen.title;
    this.playing = undefined;
    await this.player.stop();
    showCard({ state: 'over', eyebrow, title, text: words, answer });
    tell(words, 'bad');
    this.draw();
  }

  /** What the back end tells of, also where another tab or another device did it. */
  private hear(event: ShopEvent): void {
    const mine = event.purchaseId !== undefined && this.playing?.ticket?.purchaseId === event.purchaseId;
    // It may come before the answer to the call that caused it, or after: either way the viewer reads the same.
    const [eyebrow, words] = event.reason === 'device-revoked' ? REVOKED : VOID;
    if (event.type === 'token.revoked.v1' && mine && event.reason !== 'superseded') void this.end(eyebrow, words);
    if (/^(?:token|device)\.(?:issued|revoked|registered)/.test(event.type)) void this.refresh().catch(() => undefined);
  }

  private tick(): void {
    turnClocks(this.shop);
    const ticket = this.playing?.ticket;
    const left = ticket && leftMs(ticket);
    showClock(left);
    if (left === 0 && !this.busy) void this.act(() => this.askAtTheEnd());
  }

  /** The viewer's clock has run out; whether the rental is over, the licence server says. */
  private async askAtTheEnd(): Promise<void> {
    const { film, token } = this.playing!;
    let refusal: DeviceError;
    try {
      // It may still give one for a moment: the two clocks began one after the other.
      return void (await this.device.license(token, { kids: [film.kid] }));
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      refusal = error;
    }
    const { code, status } = refusal;
    await this.end('The end', whyRefused({ status, code, tokenDevice: undefined, ownDevice: this.device.id }), answerOf({ status, code }));
  }

  private goodTicket(): TicketView | undefined {
    return this.shop.tickets.find((ticket) => ticket.contentId === this.chosen.contentId && isGood(ticket));
  }

  private judge(words: string, answer: string | undefined, tone: 'good' | 'bad' = 'bad'): void {
    const verdict = byId('verdict');
    verdict.dataset['tone'] = tone;
    verdict.replaceChildren(element('p', {}, words), ...(answer === undefined ? [] : [element('p', {}, answer)]));
    verdict.hidden = false;
  }

  private drawFilms(): void {
    for (const film of this.shop.films) {
      const input = element('input', { type: 'radio', name: 'film', value: film.contentId });
      input.addEventListener('change', () => this.choose(film));
      byId('films').append(element('label', { class: 'film' }, input, element('img', { src: posterOf(film), alt: '' }), element('span', {}, element('b', {}, film.title), element('small', {}, film.line))));
    }
  }

  private choose(film: FilmView): void {
    this.chosen = film;
    document.querySelector<HTMLInputElement>(`input[value="${CSS.escape(film.contentId)}"]`)!.checked = true;
    if (!this.playing) showPoster(film);
    this.drawSteps();
  }

  private draw(): void {
    this.drawSteps();
    drawTickets(this.shop, this.actions);
    drawDevices(this.shop, this.device.id, this.actions);
  }

  private drawSteps(): void {
    const bound = this.shop.device;
    const lost = bound !== null && !this.registered;
    const chip = byId('device-chip');
    chip.textContent = this.registered ? `This browser is ${shortId(this.device.id)}` : lost ? 'This browser was revoked' : 'This browser is nobody yet';
    chip.title = this.device.id;
    chip.dataset['state'] = this.registered ? 'active' : lost ? 'revoked' : 'none';
    byId('register').hidden = bound !== null;
    byId('new-device').hidden = !lost;
    byId('register-text').textContent = this.registered
      ? `This browser proved its key. Its device id: ${shortId(this.device.id)}`
      : lost
        ? 'The device of this browser is revoked, or its key is gone. Start again under “Your devices”.'
        : 'It makes a key that never leaves it. Tickets are issued to that key.';
    const ticket = this.goodTicket();
    byId('step-register').classList.toggle('done', this.registered);
    byId('step-buy').classList.toggle('done', ticket !== undefined);
    byId('buy').textContent = `Buy · ${this.chosen.priceToBuy}`;
    byId('rent').textContent = `Rent ${durationText(this.shop.rentalSeconds)} · ${this.chosen.priceToRent}`;
    byId('watch-text').textContent = ticket ? `Your ticket for ${this.chosen.title} is valid on this device.` : `No valid ticket for ${this.chosen.title} yet.`;
  }
}
