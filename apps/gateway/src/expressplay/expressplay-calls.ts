import { type ExpressPlayDrm, type ExpressPlayEndpoint, type ParameterValues, readParameters } from '@latchkey/contracts';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from '../api-keys/caller.js';
import type { GatewayConfiguration } from '../config.js';
import { endpointAt } from './at-endpoint.decorator.js';
import { ExpressPlayRefusal } from './expressplay-refusal.js';
import { givenParameters } from './given-parameters.js';

/** A call whose caller is known and whose parameters are good. */
export interface ExpressPlayCall {
  readonly merchantId: string;
  readonly endpoint: ExpressPlayEndpoint;
  readonly values: ParameterValues;
  /** When it was read: what is relative is relative to this. */
  readonly nowMs: number;
}

/** Reads calls by the table of parameters. */
@Injectable()
export class ExpressPlayCalls {
  /** The DRMs whose tokens are bound to devices, the first one first. */
  readonly binding: readonly ExpressPlayDrm[];
  private readonly publicUrl: string;

  constructor(@Inject(CONFIGURATION) configuration: GatewayConfiguration) {
    this.binding = configuration.expressPlayBinding;
    this.publicUrl = configuration.publicUrl.replace(/\/+$/, '');
  }

  /** The call that a request makes; throws the refusal of its first fault. */
  read(request: FastifyRequest): ExpressPlayCall {
    const { merchantId } = callerOf(request);
    const endpoint = endpointAt(request.method, request.routeOptions.url);
    if (!endpoint) throw new Error('no endpoint of the table has this route');
    if (endpoint.body === 'json' && !isObject(request.body)) throw new ExpressPlayRefusal(-9400, { detail: 'the body must be a JSON object' });
    const nowMs = Date.now();
    const bindsDevices = endpoint.drm !== undefined && this.binding.includes(endpoint.drm);
    const read = readParameters(endpoint.parameters, endpoint.rules, givenParameters(request), { nowMs, bindsDevices });
    if (!read.ok) throw new ExpressPlayRefusal(read.fault.code, { detail: read.fault.words, parameter: read.fault.parameter });
    return { merchantId, endpoint, values: read.values, nowMs };
  }

  /** Where tokens of a DRM are redeemed. */
  rightsUrl(drm: ExpressPlayDrm): string {
    return `${this.publicUrl}/hms/${drm}/rights/`;
  }

  /** Where one token is redeemed: the reference's token URL. */
  tokenUrl(drm: ExpressPlayDrm, token: string): string {
    return `${this.rightsUrl(drm)}?ExpressPlayToken=${encodeURIComponent(token)}`;
  }
}

/** A body that is left out says nothing, which may be enough; a list, or a number, would say nothing by mistake. */
function isObject(body: unknown): boolean {
  return body === undefined || (typeof body === 'object' && body !== null && !Array.isArray(body));
}

/** The DRM of an endpoint that has one. */
export function drmOf({ drm }: ExpressPlayEndpoint): ExpressPlayDrm {
  if (drm === undefined) throw new Error('the endpoint has no DRM');
  return drm;
}
