import { type CloudEvent, DeviceRegistered, DeviceRevoked, hear, hearCopy, type ServiceMessaging } from '@latchkey/contracts';
import { type BatchHandler, type Broker, done, type QueueDepth, type RawMessage, type RetryRung, type Verdict } from '../src/broker.js';

/** Hears `DeviceRegistered` and `DeviceRevoked`. */
export const issuer: ServiceMessaging = {
  service: 'token-issuer',
  hears: [hear(DeviceRegistered, ['deviceId']), hear(DeviceRevoked, ['deviceId'])],
  says: [],
  asks: [],
};

/** Hears `DeviceRegistered` alone. */
export const cookieService: ServiceMessaging = { service: 'cookie', hears: [hear(DeviceRegistered, ['deviceId'])], says: [], asks: ['token-issuer'] };

/** Hears copies of `DeviceRevoked`. */
export const licenseServer: ServiceMessaging = { service: 'license-server', hears: [hearCopy(DeviceRevoked, ['deviceId'])], says: [], asks: [] };

/** A ladder that a test can wait for. */
export const fastLadder: readonly RetryRung[] = [
  { name: '50ms', delayMs: 50 },
  { name: '100ms', delayMs: 100 },
];

/** An event of which `issuer` and `cookieService` hear. */
export function registered(id: string): CloudEvent {
  return { specversion: '1.0', id, source: '/contract', type: DeviceRegistered.type, data: { deviceId: id } };
}

/** An event of which only `issuer` hears. */
export function revoked(id: string): CloudEvent {
  return { ...registered(id), type: DeviceRevoked.type };
}

/** The id of the event in a message. */
export function idOf(message: RawMessage): string {
  return String(message.headers['cloudEvents_id']);
}

/** As many events of which only `issuer` hears, with ids `<prefix>-0` and on. */
export function many(count: number, prefix = 'e'): CloudEvent[] {
  return Array.from({ length: count }, (_, index) => revoked(`${prefix}-${index}`));
}

/** A handler that remembers every batch and answers by `verdictOf`. */
export function remembering(verdictOf: (message: RawMessage) => Verdict | Promise<Verdict> = () => done): {
  handler: BatchHandler;
  batches: RawMessage[][];
  seen(): RawMessage[];
  ids(): string[];
} {
  const batches: RawMessage[][] = [];
  const seen = () => batches.flat();
  const handler: BatchHandler = (messages) => {
    batches.push([...messages]);
    return Promise.all(messages.map(async (message) => verdictOf(message)));
  };
  return { handler, batches, seen, ids: () => seen().map(idOf) };
}

/** How many messages wait in each of a service's queues. */
export async function depthsOf(broker: Broker, service: ServiceMessaging): Promise<Record<QueueDepth['queue'], number>> {
  const depths = await broker.depths(service.service);
  return Object.fromEntries(depths.map(({ queue, messages }) => [queue, messages])) as Record<QueueDepth['queue'], number>;
}
