import { cookieService } from '@latchkey/cookie';
import { deviceRegistryService } from '@latchkey/device-registry';
import { gatewayService } from '@latchkey/gateway';
import { licenseServerService } from '@latchkey/license-server';
import type { ServiceDefinition } from '@latchkey/service-defaults';
import { tokenIssuerService } from '@latchkey/token-issuer';

/** The five services in the order in which they start; they stop in the opposite one. */
export const services: readonly ServiceDefinition[] = [
  cookieService,
  deviceRegistryService,
  licenseServerService,
  tokenIssuerService,
  gatewayService,
];
