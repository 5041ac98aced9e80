import { type Device, shakaAdapter, type ShakaNetworkingEngine } from '@latchkey/device-sdk';

/** What is used of Shaka Player 5, whose script the page loads beside this one. */
interface ShakaPlayer {
  attach(video: HTMLVideoElement): Promise<void>;
  configure(configuration: object): void;
  getNetworkingEngine(): ShakaNetworkingEngine;
  load(manifestUrl: string): Promise<void>;
  unload(): Promise<void>;
  destroy(): Promise<void>;
  addEventListener(type: 'error', listener: (event: { readonly detail: ShakaError }) => void): void;
}
interface ShakaError {
  readonly code: number;
  readonly severity: number;
  readonly data: readonly unknown[];
}
declare const shaka: { readonly Player: { new (): ShakaPlayer; isBrowserSupported(): boolean }; readonly polyfill: { installAll(): void } };

/** `shaka.util.Error.Code.LICENSE_REQUEST_FAILED` */
const LICENSE_REQUEST_FAILED = 6007;

/** It does not play: `code` is the licence server's, or `player` where it is none of its business. */
export class PlaybackFailure extends Error {
  override readonly name = 'PlaybackFailure';

  constructor(
    readonly code: string,
    readonly status: number | undefined,
  ) {
    super(`it does not play: ${code}`);
  }
}

/** What to play, and with which token. */
export interface Showing {
  readonly manifestUrl: string;
  readonly licenseUrl: string;
  readonly token: string;
}

/** One film at a time on one video element. */
export class FilmPlayer {
  private current: ShakaPlayer | undefined;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly device: Device,
  ) {}

  /** Plays; resolves when the film has begun, and rejects with a `PlaybackFailure` where there is no licence or no film. */
  async play({ manifestUrl, licenseUrl, token }: Showing): Promise<void> {
    await this.stop();
    if (typeof shaka === 'undefined' || !shaka.Player.isBrowserSupported()) throw new PlaybackFailure('unsupported', undefined);
    const player = new shaka.Player();
    this.current = player;
    try {
      await player.attach(this.video);
      shakaAdapter(this.device, player.getNetworkingEngine(), token);
      player.configure({ drm: { servers: { 'org.w3.clearkey': licenseUrl } } });
      const failed = new Promise<never>((_, reject) => player.addEventListener('error', ({ detail }) => reject(failureOf(detail))));
      await Promise.race([this.begin(player, manifestUrl), failed]);
    } catch (error) {
      // A refused player's time creeps on all the same.
      await this.stop();
      throw error instanceof PlaybackFailure ? error : failureOf(error as ShakaError);
    }
  }

  /** Stops, and forgets the licence. */
  async stop(): Promise<void> {
    const player = this.current;
    this.current = undefined;
    await player?.destroy();
  }

  private async begin(player: ShakaPlayer, manifestUrl: string): Promise<void> {
    await player.load(manifestUrl);
    // Before the key has come there is nothing to see: the licence was granted when the first frame is.
    const seen = new Promise<void>((resolve) => this.video.addEventListener('timeupdate', () => resolve(), { once: true }));
    await this.video.play();
    await seen;
  }
}

function failureOf({ code, data }: ShakaError): PlaybackFailure {
  if (code !== LICENSE_REQUEST_FAILED) return new PlaybackFailure('player', undefined);
  const [, status, text] = (data[0] as { data?: readonly unknown[] } | undefined)?.data ?? [];
  if (typeof status !== 'number') return new PlaybackFailure('network', undefined);
  return new PlaybackFailure(codeOf(text), status);
}

function codeOf(problem: unknown): string {
  try {
    const { code } = JSON.parse(String(problem)) as { code?: unknown };
    return typeof code === 'string' ? code : 'unexpected-answer';
  } catch {
    return 'unexpected-answer';
  }
}
