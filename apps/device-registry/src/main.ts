import 'reflect-metadata';
import { runService } from '@latchkey/service-defaults';
import { deviceRegistryService } from './device-registry.service-definition.js';

await runService(deviceRegistryService);
