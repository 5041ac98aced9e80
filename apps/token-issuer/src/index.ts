export { runRewrap, type RewrapConsole } from './rewrap/run-rewrap.js';
export { tokenIssuerService } from './token-issuer.service-definition.js';
