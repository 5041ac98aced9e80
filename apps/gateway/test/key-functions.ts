// What a test imports only after it has begun to watch node:crypto, all of it by one dynamic import.
export { generateApiKey, hashApiKeySecret, parseApiKey } from '@latchkey/crypto';
export { authenticate, readBearer } from '../src/api-keys/authenticate.js';
