export { dashJsAdapter, type DashLicenseRequest, type DashPlayer } from './adapters/dash-js-adapter.js';
export { emeAdapter, type KeySession } from './adapters/eme-adapter.js';
export { hlsJsAdapter, type HlsLicenseConfiguration, type LicenseXhr } from './adapters/hls-js-adapter.js';
export { shakaAdapter, type ShakaNetworkingEngine, type ShakaRequest, type ShakaRetryEvent } from './adapters/shaka-adapter.js';
export {
  createDevice,
  type AnswerHeaders,
  type Device,
  type DeviceOptions,
  type DeviceToken,
  type DeviceTokenList,
  type DeviceTokenRights,
  type License,
  type LicenseRequest,
  type PlayerRequest,
  type ProvenHeaders,
} from './device.js';
export { DeviceError, type DeviceAction, type DeviceErrorParts } from './device-error.js';
export type { DeviceKeyStore, PublicDeviceJwk, StoredDeviceKey } from './device-key-store.js';
export type { Fetch } from './fetch.js';
export { indexedDbStore } from './stores/indexed-db-store.js';
export { memoryStore } from './stores/memory-store.js';
