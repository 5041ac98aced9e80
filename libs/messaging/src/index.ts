export * from './broker.js';
export * from './cloud-event-codec.js';
export * from './correlation.js';
export * from './delivery.js';
export * from './event-strategy.js';
export * from './observer.js';
export * from './publisher-check.js';
export * from './requests.js';
