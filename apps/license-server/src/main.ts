import 'reflect-metadata';
import { runService } from '@latchkey/service-defaults';
import { licenseServerService } from './license-server.service-definition.js';

await runService(licenseServerService);
