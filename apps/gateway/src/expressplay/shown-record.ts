import type { DeviceRecord } from '@latchkey/contracts';

/** One record as record retrieval shows it. Its names are kept for ever: merchants' code reads them. */
export interface ShownRecord {
  /** One cookie registers once, so that its name names the event as well. */
  readonly event_id: string;
  readonly event_type: 'registration';
  readonly event_time: string;
  readonly cookie: string;
  readonly device_id: string;
  readonly device_state: DeviceRecord['state'];
  readonly confidence: string;
}

/** A binding, as the event that made it. */
export function shownRecord({ cookie, deviceId, evidence, confidence, state, registeredAt }: DeviceRecord): ShownRecord {
  return {
    event_id: cookie,
    event_type: 'registration',
    event_time: registeredAt,
    cookie,
    device_id: deviceId,
    device_state: state,
    confidence: confidence ?? (evidence === 'proof' ? 'proof' : 'unknown'),
  };
}
