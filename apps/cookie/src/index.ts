export { cookieService } from './cookie.service-definition.js';
