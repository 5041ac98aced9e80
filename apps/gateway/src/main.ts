import 'reflect-metadata';
import { runService } from '@latchkey/service-defaults';
import { gatewayService } from './gateway.service-definition.js';

await runService(gatewayService);
