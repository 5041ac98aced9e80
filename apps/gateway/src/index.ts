export { runAdmin, type AdminConsole } from './admin/run-admin.js';
export { gatewayService } from './gateway.service-definition.js';
