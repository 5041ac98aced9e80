import type { Device } from '../device.js';

/** What is used of a `MediaKeySession`. */
export interface KeySession {
  addEventListener(type: 'message', listener: (event: { readonly message: ArrayBuffer }) => void): void;
  update(response: BufferSource): Promise<void>;
}

/**
 * Answers the messages of a Clear Key session with licences for this token. `onRefused` hears why there is none: a
 * session itself would only wait.
 */
export function emeAdapter(device: Device, session: KeySession, token: string, onRefused: (error: unknown) => void): void {
  session.addEventListener('message', ({ message }) => {
    void (async () => session.update(new TextEncoder().encode(JSON.stringify(await device.license(token, message)))))().catch(onRefused);
  });
}
