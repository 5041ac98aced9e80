import 'reflect-metadata';
import { runService } from '@latchkey/service-defaults';
import { cookieService } from './cookie.service-definition.js';

await runService(cookieService);
