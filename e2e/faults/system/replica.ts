import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually, type ProcessEnd, startProcess, type StartedProcess } from '@latchkey/kits';
import { Inside, type Pulled } from './inside.js';
import type { Service } from './target.js';

/** A version of all services: a workspace whose sources and levers are run. */
export interface Release {
  readonly name: string;
  readonly root: string;
  /** What its processes are started with besides what all are. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The workspace in which this suite lies. */
export const presentRelease: Release = { name: 'present', root: join(import.meta.dirname, '..', '..', '..') };

/** What a replica is started with. */
export interface ReplicaOptions {
  readonly service: Service;
  readonly index: number;
  readonly port: number;
  readonly env: Record<string, string>;
  /** Where its socket and the note of what killed it lie. */
  readonly folder: string;
  /** Levers that are pulled before the service itself is loaded, whenever it is started. */
  readonly standing: () => readonly Pulled[];
  readonly release: Release;
}

const PRELOAD = 'e2e/faults/preloads/inside.mjs';
const RESTART_AFTER_MS = 100;

/** One process of a service, started again whenever it ends, as an orchestrator would. */
export class Replica {
  readonly service: Service;
  readonly index: number;
  readonly url: string;
  readonly inside: Inside;
  /** How its processes ended so far. */
  readonly ends: ProcessEnd[] = [];
  private readonly processes: StartedProcess[] = [];
  private readonly strikesFile: string;
  private readonly supervised: Promise<void>;
  private closing = false;
  private release: Release;

  constructor(private readonly options: ReplicaOptions) {
    this.service = options.service;
    this.release = options.release;
    this.index = options.index;
    this.url = `http://127.0.0.1:${options.port}`;
    this.inside = new Inside(join(options.folder, `${this.name}.sock`));
    this.strikesFile = join(options.folder, `${this.name}.strikes`);
    this.supervised = this.supervise();
  }

  get name(): string {
    return `${this.service}-${this.index}`;
  }

  /** Resolves when it answers that it is ready. */
  async ready(timeoutMs = 180_000): Promise<void> {
    const look = async (): Promise<void> => {
      const { status } = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(5_000) });
      if (status !== 200) throw new Error(`${this.name} answers ${status} when asked whether it is ready`);
    };
    await eventually(look, { timeoutMs, intervalMs: 100 }).catch((error: Error) => {
      throw new Error(`${this.name} is not ready: ${error.message}\n${this.printed().slice(-4_000)}`);
    });
  }

  /** Sends a signal and resolves to how the process ended. Undefined where none lives. */
  async signal(signal: NodeJS.Signals): Promise<ProcessEnd | undefined> {
    const process = this.processes.at(-1);
    if (!process || this.ends.length === this.processes.length) return undefined;
    return process.kill(signal);
  }

  /** Sends a signal to the living process and waits for nothing: how to stop its time, and to let it go on. */
  nudge(signal: NodeJS.Signals): void {
    const pid = this.processes.at(-1)?.pid;
    if (pid !== undefined && this.ends.length < this.processes.length) process.kill(pid, signal);
  }

  /**
   * Stops, starts again as another release, and resolves when that is ready. Rejects when a stop of the present release
   * was not clean; how an earlier one stops cannot be changed any more.
   */
  async become(release: Release): Promise<void> {
    const before = this.release;
    this.release = release;
    const end = await this.signal('SIGTERM');
    if (end && end.exitCode !== 0 && before === presentRelease) {
      throw new Error(`${this.name} ended with ${end.exitCode ?? end.signal} on SIGTERM\n${this.printed().slice(-4_000)}`);
    }
    await this.ready();
  }

  /** How often the failpoints in its processes have struck. */
  strikes(): number {
    return existsSync(this.strikesFile) ? readFileSync(this.strikesFile, 'utf8').split('\n').length - 1 : 0;
  }

  /** Everything that its processes have printed. */
  printed(): string {
    return this.processes.map((process) => process.stdout() + process.stderr()).join('');
  }

  async stop(): Promise<void> {
    this.closing = true;
    await this.processes.at(-1)?.kill('SIGKILL');
    await this.supervised;
  }

  private async supervise(): Promise<void> {
    const { service, port, env, standing } = this.options;
    while (!this.closing) {
      rmSync(this.inside.socketPath, { force: true });
      const release = this.release;
      const process = await startProcess({
        entry: `apps/${service}/src/main.ts`,
        root: release.root,
        env: {
          ...env,
          ...release.env,
          LATCHKEY_PORT: String(port),
          NODE_OPTIONS: `--import=${pathToFileURL(join(release.root, PRELOAD)).href}`,
          FAULTS_SOCKET: this.inside.socketPath,
          FAULTS_STRIKES: this.strikesFile,
          FAULTS_PULLED: JSON.stringify(standing()),
        },
      });
      this.processes.push(process);
      this.ends.push(await process.ended);
      await new Promise((resolve) => setTimeout(resolve, RESTART_AFTER_MS));
    }
  }
}
