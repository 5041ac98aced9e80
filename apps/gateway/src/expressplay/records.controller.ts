import { type DeviceRecord, Problem, requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Controller, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AtEndpoint } from './at-endpoint.decorator.js';
import { ExpressPlayCalls } from './expressplay-calls.js';
import { FailedLookups } from '../failed-lookups/failed-lookups.js';
import { shownRecord, type ShownRecord } from './shown-record.js';

const PAGE = requests.EXPRESSPLAY_PAGE_MAX;

/** Record retrieval: which device registered with which cookie. */
@Controller()
export class RecordsController {
  constructor(
    private readonly calls: ExpressPlayCalls,
    private readonly requests: Requests,
    private readonly failedLookups: FailedLookups,
  ) {}

  @AtEndpoint('records', 'GET')
  async show(@Req() request: FastifyRequest): Promise<{ records: ShownRecord[] }> {
    const { merchantId, values } = this.calls.read(request);
    const cookie = values.get('cookie');
    const start = values.get('start');
    if (cookie !== undefined) return { records: (await this.ofCookie(merchantId, cookie)).map(shownRecord) };
    if (start === undefined) return { records: (await this.requests.ask(requests.listRecords, { merchantId, length: PAGE })).records.map(shownRecord) };
    return { records: (await this.window(merchantId, Number(start), Number(values.get('length')))).map(shownRecord) };
  }

  /** A cookie with which nothing has registered has no records: to the reference, whose merchants make cookies up, any string is one. */
  private async ofCookie(merchantId: string, cookie: string): Promise<DeviceRecord[]> {
    try {
      return [await this.requests.ask(requests.getDeviceRecord, { merchantId, cookie })];
    } catch (error) {
      if (!(error instanceof Problem) || (error.code !== 'device-not-registered' && error.code !== 'cookie-unknown')) throw error;
      if (error.code === 'cookie-unknown') this.failedLookups.countCookie(merchantId);
      return [];
    }
  }

  /** Merchants walk in windows of up to 200, and one request is answered with up to 32: a shorter answer would end their walk. */
  private async window(merchantId: string, start: number, length: number): Promise<DeviceRecord[]> {
    const found: DeviceRecord[] = [];
    while (found.length < length) {
      const wanted = Math.min(PAGE, length - found.length);
      const { records } = await this.requests.ask(requests.listRecords, { merchantId, start: start + found.length, length: wanted });
      found.push(...records);
      if (records.length < wanted) break;
    }
    return found;
  }
}
