export { rewrapAll, type RewrapReport } from './rewrap/rewrap-all.js';
export { tokenIssuerService } from './token-issuer.service-definition.js';
