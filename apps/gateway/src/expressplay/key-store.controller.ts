import { type ParameterValues, Problem, requests, type RequestOutput } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Controller, HttpStatus, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AtEndpoint } from './at-endpoint.decorator.js';
import { type ExpressPlayCall, ExpressPlayCalls } from './expressplay-calls.js';
import { ExpressPlayRefusal } from './expressplay-refusal.js';
import { kidOf, kidsOf } from './kid-of.js';
import { withPlainKey, wrappedKeyOf } from './stored-key.js';

type StoredKey = RequestOutput<typeof requests.getStoredKeys>['keys'][number];
type ShownKey = StoredKey & { readonly k?: string };

/** The key store. A KEK comes with a call, wraps or unwraps here, and is forgotten. */
@Controller()
export class KeyStoreController {
  constructor(
    private readonly calls: ExpressPlayCalls,
    private readonly requests: Requests,
  ) {}

  @AtEndpoint('storeKey', 'POST')
  async store(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<ShownKey> {
    const { merchantId, values } = this.calls.read(request);
    const named = values.get('kid');
    const kid = named === undefined ? crypto.randomUUID().replaceAll('-', '') : kidOf(named);
    try {
      const { keys } = await this.requests.ask(requests.storeKeys, { merchantId, keys: [{ kid, ...orRefusal(wrappedKeyOf(values)), ...noted(values) }] });
      void reply.status(HttpStatus.CREATED).header('location', `/keystore/keys/${kid}`);
      return this.shown(values, keys)[0]!;
    } catch (error) {
      // Of a key that exists the rest of the call is passed over: whoever asks for a key gets the one that there is.
      if (!(error instanceof Problem) || error.code !== 'stored-key-exists') throw error;
      return this.shown(values, await this.found(merchantId, [kid]))[0]!;
    }
  }

  @AtEndpoint('listKeys', 'GET')
  async list(@Req() request: FastifyRequest): Promise<ShownKey[]> {
    const { merchantId, values } = this.calls.read(request);
    return this.shown(values, (await this.requests.ask(requests.getStoredKeys, { merchantId })).keys);
  }

  @AtEndpoint('showKeys', 'GET')
  async show(@Req() request: FastifyRequest): Promise<ShownKey[]> {
    const { merchantId, values } = this.calls.read(request);
    return this.shown(values, await this.found(merchantId, kidsOf(values.get('kid')!)));
  }

  @AtEndpoint('changeKey', 'PUT')
  async change(@Req() request: FastifyRequest): Promise<ShownKey> {
    const { merchantId, values } = this.calls.read(request);
    const kid = kidOf(values.get('kid')!);
    // A KEK that is not the key's is told of before the key is changed: what is refused changes nothing.
    if (values.has('kek') && !values.has('k') && !values.has('ek')) this.shown(values, await this.found(merchantId, [kid]));
    const { key } = await this.requests.ask(requests.changeStoredKey, { merchantId, kid, change: { ...rewrapped(values), ...noted(values) } });
    if (!key) throw noSuchKey();
    return this.shown(values, [key])[0]!;
  }

  @AtEndpoint('deleteKeys', 'DELETE')
  async remove(@Req() request: FastifyRequest): Promise<{ kids: string[] }> {
    const { merchantId, values }: ExpressPlayCall = this.calls.read(request);
    const { kids } = await this.requests.ask(requests.deleteStoredKeys, { merchantId, kids: kidsOf(values.get('kid')!) });
    if (kids.length === 0) throw noSuchKey();
    return { kids };
  }

  /** The stored keys of these kids, of which there must be one at least. */
  private async found(merchantId: string, kids: string[]): Promise<StoredKey[]> {
    const { keys } = await this.requests.ask(requests.getStoredKeys, { merchantId, kids });
    if (keys.length === 0) throw noSuchKey();
    return keys;
  }

  private shown(values: ParameterValues, keys: readonly StoredKey[]): ShownKey[] {
    return keys.map((key) => orRefusal(withPlainKey(key, values)));
  }
}

/** The key that a change brings, if it brings one. One that its merchant wrapped again keeps the name of its KEK unless there is a new one. */
function rewrapped(values: ParameterValues): Partial<Pick<StoredKey, 'ek' | 'kekId'>> {
  if (!values.has('k') && !values.has('ek')) return {};
  const { ek, kekId } = orRefusal(wrappedKeyOf(values));
  return values.has('k') ? { ek, kekId } : { ek };
}

function noSuchKey(): ExpressPlayRefusal {
  return new ExpressPlayRefusal(-9404, { detail: 'no such key is stored' });
}

/** What a request notes beside a key. */
function noted(values: ParameterValues): Partial<Pick<StoredKey, 'kekId' | 'info' | 'contentId' | 'expiration'>> {
  return Object.fromEntries(['kekId', 'info', 'contentId', 'expiration'].flatMap((name) => (values.has(name) ? [[name, values.get(name)]] : [])));
}

function orRefusal<T extends object>(answer: T): Exclude<T, { readonly code: unknown }> {
  if ('code' in answer) throw new ExpressPlayRefusal(answer.code as ExpressPlayRefusal['referenceCode']);
  return answer as Exclude<T, { readonly code: unknown }>;
}
