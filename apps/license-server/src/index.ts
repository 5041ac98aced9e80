export { licenseServerService } from './license-server.service-definition.js';
