import 'reflect-metadata';
import { runService } from '@latchkey/service-defaults';
import { tokenIssuerService } from './token-issuer.service-definition.js';

await runService(tokenIssuerService);
