export { deviceRegistryService } from './device-registry.service-definition.js';
