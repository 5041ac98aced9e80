import { hostname } from 'node:os';
import { GenericContainer, getContainerRuntimeClient, Wait, type ContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';

/** How a server is run. */
export interface ServerOptions {
  readonly image: string;
  readonly command?: string[];
  readonly environment: Record<string, string>;
  readonly ports: readonly number[];
  /** Where its data lies. It outlives the server's death, and is as small as told. */
  readonly dataDirectory: string;
  readonly dataMegabytes: number;
  readonly files?: readonly { readonly content: string; readonly target: string }[];
  /** Rejects while it does not answer. */
  readonly answers: (server: ServerContainer) => Promise<unknown>;
}

/** The test runner removes containers whose owner is dead. */
const OWNER_LABEL = 'latchkey.test-owner';
const START_TIMEOUT_MS = 120_000;

/**
 * A server in a container that can be killed and started again over the same data. The data lies in memory, so that a
 * full disk is quickly made, on a volume that a second, idle container keeps mounted: without it the volume would be
 * empty after each death.
 */
export class ServerContainer {
  private ports = new Map<number, number>();

  private constructor(
    private readonly options: ServerOptions,
    private readonly client: ContainerRuntimeClient,
    private readonly keeper: StartedTestContainer,
    private readonly container: StartedTestContainer,
  ) {}

  /** Starts it; resolves when it answers. */
  static async start(options: ServerOptions): Promise<ServerContainer> {
    process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
    const client = await getContainerRuntimeClient();
    const keeper = await new Mounting(options.image).keeping(options.dataDirectory, options.dataMegabytes).withEntrypoint(['sleep', 'infinity']).start();
    const container = await new Mounting(options.image)
      .sharing(keeper.getId())
      .withEnvironment(options.environment)
      .withExposedPorts(...options.ports)
      .withCopyContentToContainer([...(options.files ?? [])])
      .withWaitStrategy(Wait.forListeningPorts())
      .withCommand(options.command ?? [])
      .start();
    const server = new ServerContainer(options, client, keeper, container);
    await server.found();
    return server;
  }

  get host(): string {
    return this.container.getHost();
  }

  /** The port of this machine that leads to a port of the server. It is another one after each start. */
  port(inside: number): number {
    return this.ports.get(inside) ?? 0;
  }

  /** `kill -9` of the server: its process has no say in it. */
  async kill(): Promise<void> {
    await this.handle.kill({ signal: 'SIGKILL' });
    await this.handle.wait();
  }

  /** Starts it over its data, if it is dead; resolves when it answers. */
  async revive(): Promise<void> {
    const { State } = await this.handle.inspect();
    if (!State.Running) await this.handle.start();
    await this.found();
  }

  /** Whether its process lives. */
  async isRunning(): Promise<boolean> {
    return (await this.handle.inspect()).State.Running;
  }

  /** Runs a command beside the server; resolves to what it printed. Rejects when it fails. */
  async run(command: string[]): Promise<string> {
    const { output, exitCode } = await this.container.exec(command);
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${output}`);
    return output;
  }

  /** Runs a command on the server's data, alive or not. */
  async onData(command: string[]): Promise<{ readonly exitCode: number; readonly output: string }> {
    return this.keeper.exec(command);
  }

  /** Removes it with its data. */
  async remove(): Promise<void> {
    await this.container.stop({ timeout: 0, remove: true, removeVolumes: true });
    await this.keeper.stop({ timeout: 0, remove: true, removeVolumes: true });
  }

  private get handle() {
    return this.client.container.getById(this.container.getId());
  }

  private async found(): Promise<void> {
    const deadlineMs = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const { State, NetworkSettings } = await this.handle.inspect();
      for (const inside of this.options.ports) this.ports.set(inside, Number(NetworkSettings.Ports[`${inside}/tcp`]?.[0]?.HostPort ?? 0));
      const refusal = await this.options.answers(this).then(
        () => undefined,
        (error: Error) => error,
      );
      if (!refusal) return;
      // A server that finds no room to recover in dies while it starts.
      if (!State.Running) await this.handle.start();
      if (performance.now() > deadlineMs) throw new Error(`${this.options.image} does not answer: ${refusal.message}`);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }
}

/** Testcontainers has no words for a volume of limited size, nor for sharing one. */
class Mounting extends GenericContainer {
  constructor(image: string) {
    super(image);
    this.withLabels({ [OWNER_LABEL]: `${hostname()} ${process.pid}` }).withStartupTimeout(START_TIMEOUT_MS);
  }

  keeping(directory: string, megabytes: number): this {
    const DriverConfig = { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o: `size=${megabytes}m` } };
    this.hostConfig.Mounts = [{ Type: 'volume', Source: '', Target: directory, VolumeOptions: { NoCopy: false, Labels: {}, DriverConfig } }];
    return this;
  }

  sharing(containerId: string): this {
    this.hostConfig.VolumesFrom = [containerId];
    return this;
  }
}
