export { standaloneSettings } from './config.js';
export { services } from './services.js';
export { type RunningStandalone, startStandalone } from './standalone.js';
