import { confidenceOf, type CookieRef, Problem, requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Injectable } from '@nestjs/common';
import { type CookieFact, cookieKey, type CookieJoin, readJoins } from './cookie-join-store.js';
import { EXPIRY_GRACE_MS } from './purchase.js';
import { keyOf, Reader } from './rows.js';

/** What could be learned about some cookies before a transaction begins; nothing is asked inside of one. */
export interface CookieKnowledge {
  readonly facts: readonly CookieFact[];
  /** Cookies (by `cookieKey`) for whose binding the device registry was asked. */
  readonly registryAsked: ReadonlySet<string>;
  /** Devices (by `keyOf`) that the registry says are revoked, whether or not that was heard here. */
  readonly revokedDevices: ReadonlySet<string>;
  /** Cookies (by `cookieKey`) whose owner did not answer: nothing can be said of them now. */
  readonly unanswered: ReadonlySet<string>;
}

/** Asks the owners of cookies and bindings for what this service has not heard of. */
@Injectable()
export class CookieAuthorities {
  constructor(
    private readonly reader: Reader,
    private readonly requests: Requests,
  ) {}

  /**
   * For events: asks for cookies that were never heard of, and for the bindings of those whose time is over. Usually
   * everything is known and nobody is asked. An owner that does not answer holds up no other cookie.
   */
  async learnMissing(cookies: readonly CookieRef[]): Promise<CookieKnowledge> {
    const joins = await readJoins(this.reader, cookies);
    const unheardOf = cookies.filter((cookie) => isUnheardOf(joins.get(cookieKey(cookie))));
    const asked = await unlessUnavailable(this.askCookies(unheardOf));
    const expiries = new Map(asked?.map((fact) => [cookieKey(fact), fact.expiresAt]));
    const overdue = cookies.filter((cookie) => {
      const join = joins.get(cookieKey(cookie));
      const expiresAt = join?.expiresAt ?? expiries.get(cookieKey(cookie));
      return !join?.device && expiresAt !== undefined && expiresAt.getTime() + EXPIRY_GRACE_MS <= Date.now();
    });
    const bound = await unlessUnavailable(this.withBindings(cookies, asked ?? [], overdue));
    const knowledge = bound ?? (await this.withBindings(cookies, asked ?? [], []));
    const unanswered = [...(asked ? [] : unheardOf), ...(bound ? [] : overdue)];
    return { ...knowledge, unanswered: new Set(unanswered.map(cookieKey)) };
  }

  /**
   * For calls: always asks for the binding, because a caller that was told of a device's registration or revocation must
   * find it in the next answer, whether or not the event has come here.
   */
  async learnNow(cookie: CookieRef): Promise<CookieKnowledge> {
    const joins = await readJoins(this.reader, [cookie]);
    const unheardOf = [cookie].filter((one) => isUnheardOf(joins.get(cookieKey(one))));
    const [asked, knowledge] = await Promise.all([this.askCookies(unheardOf), this.withBindings([cookie], [], [cookie])]);
    return { ...knowledge, facts: [...knowledge.facts, ...asked] };
  }

  /** The bindings of these cookies as the registry has them now. */
  async learnBindings(cookies: readonly CookieRef[]): Promise<CookieKnowledge> {
    return this.withBindings(cookies, [], cookies);
  }

  private async askCookies(cookies: readonly CookieRef[]): Promise<CookieFact[]> {
    if (cookies.length === 0) return [];
    const answer = await this.requests.ask(requests.lookUpCookies, { cookies: cookies.map(refOf) });
    return answer.cookies.map(({ expiresAt, ...fact }) => ({ ...fact, expiresAt: new Date(expiresAt) }));
  }

  /** `cookies` themselves are facts too, without content: their joins have to be locked whatever is known of them. */
  private async withBindings(cookies: readonly CookieRef[], known: readonly CookieFact[], ask: readonly CookieRef[]): Promise<CookieKnowledge> {
    const { bindings } = ask.length > 0 ? await this.requests.ask(requests.lookUpBindings, { cookies: ask.map(refOf) }) : { bindings: [] };
    const bound = bindings.map(({ merchantId, cookie, accountId, deviceId, evidence, confidence, registeredAt }): CookieFact => {
      const device = { deviceId, evidence, confidence: confidenceOf(evidence, confidence), registeredAt: new Date(registeredAt) };
      return { merchantId, cookie, accountId, device };
    });
    return {
      facts: [...cookies.map(refOf), ...known, ...bound],
      registryAsked: new Set(ask.map(cookieKey)),
      revokedDevices: new Set(bindings.filter(({ state }) => state === 'revoked').map(({ merchantId, deviceId }) => keyOf(merchantId, deviceId))),
      unanswered: new Set(),
    };
  }
}

function isUnheardOf(join: CookieJoin | undefined): boolean {
  return !join?.device && !join?.expiresAt;
}

function refOf({ merchantId, cookie }: CookieRef): CookieRef {
  return { merchantId, cookie };
}

async function unlessUnavailable<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Problem && error.code === 'unavailable') return undefined;
    throw error;
  }
}

/** What is known without having asked anybody: the joins of these facts are to be locked, and say the rest. */
export function knowledgeOf(facts: readonly CookieFact[]): CookieKnowledge {
  return { facts, registryAsked: new Set(), revokedDevices: new Set(), unanswered: new Set() };
}
