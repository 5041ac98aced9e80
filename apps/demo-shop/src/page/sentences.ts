/** A refused licence: what the server answered, and who asked with whose token. */
export interface RefusedLicense {
  /** The HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  readonly code: string;
  readonly tokenDevice: string | undefined;
  readonly ownDevice: string;
}

const sentences: Readonly<Record<string, string>> = {
  'invalid-token': 'This token is not good any more: its ticket was given back, or it has run out. Buy or rent the film to watch it.',
  'device-revoked': 'This browser was revoked, and that is for good. Choose “Start again as a new device” under “Your devices”.',
  'rental-expired': 'Your rental has ended. Rent the film again, or buy it to keep it.',
  'rental-not-started': 'This rental has not begun yet. Come back when it has.',
  'kid-not-in-token': 'This token is for another film. Choose the film that it was bought for.',
  'cookie-bound-elsewhere': 'Another browser was registered in this place first. Choose “Start again as a new device” under “Your devices”.',
};

/** A device id as people can tell it from another. */
export function shortId(deviceId: string): string {
  return deviceId.length > 12 ? `${deviceId.slice(0, 4)}…${deviceId.slice(-4)}` : deviceId;
}

/** Why it does not play, in plain words, and what to do next. */
export function whyRefused({ status, code, tokenDevice, ownDevice }: RefusedLicense): string {
  if (status === undefined || status >= 500) return 'The licence server does not answer at the moment. Check that Latchkey is running, then choose Watch again.';
  if (tokenDevice !== undefined && tokenDevice !== ownDevice) {
    return `This ticket belongs to another device, ${shortId(tokenDevice)}. This browser is ${shortId(ownDevice)}: it has the token, but not the key that the token names. Buy or rent the film here to watch it here.`;
  }
  return sentences[code] ?? 'The licence server refused this. Reload the page and choose Watch again.';
}

/** What the server answered, for whoever wants to know. */
export function answerOf({ status, code }: Pick<RefusedLicense, 'status' | 'code'>): string {
  return status === undefined ? 'no answer from the licence server' : `licence server: ${status} ${code}`;
}

/** Time left as a clock shows it, rounded up: at 0:00 nothing is left. */
export function clockText(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** A length of time in words. */
export function durationText(seconds: number): string {
  if (seconds % 3600 === 0) return seconds === 3600 ? 'an hour' : `${seconds / 3600} hours`;
  return seconds > 120 && seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
