import { DeviceBook } from "./access/device-book.ts";
import { DeviceRates } from "./access/device-rates.ts";
import { SpeakerGate } from "./access/speaker-gate.ts";
import type { BrokerReach } from "./broker-reach.ts";
import { Counters } from "./counters.ts";
import { FlashDesk } from "./flash/flash-desk.ts";
import { registryDoor } from "./flash/registry-door.ts";
import { TrustFile } from "./flash/trust-file.ts";
import { UpdateFiles } from "./flash/update-files.ts";
import { HistoryThread } from "./history/history-thread.ts";
import { BackPressure } from "./ingest/back-pressure.ts";
import { FrameIntake } from "./ingest/frame-intake.ts";
import { JobDesk } from "./ingest/job-desk.ts";
import { attachLoopback, type LoopbackEnd } from "./ingest/loopback-link.ts";
import { SealGuard } from "./ingest/seal-guard.ts";
import type { SerialEnd } from "./ingest/serial-listener.ts";
import { GarbageTimer } from "./jobs/garbage-timer.ts";
import { type OpenQueue, openQueue } from "./jobs/open-queue.ts";
import { NodeDoors } from "./node-doors.ts";
import type { CloudNodeOptions, NodeInternals, NodeLoad } from "./node-options.ts";
import { DEFAULT_ACK_POLICY } from "./reconstructor/ack-policy.ts";
import { automaticThreads, DecodePool } from "./reconstructor/decode-pool.ts";
import { type ModuleFacts, ModuleRegistry } from "./reconstructor/module-registry.ts";
import type { NodeEvent, NodeEventListener } from "./reconstructor/node-event.ts";
import type { RefusedDevice } from "./reconstructor/refused-device.ts";
import { type FreshTraffic, TrafficLedger } from "./reconstructor/traffic-ledger.ts";
import { TwinRegistry } from "./reconstructor/twin-registry.ts";
import type { TwinView } from "./reconstructor/twin-view.ts";
import { releasedModules } from "./released-modules.ts";
import { CommitQueue } from "./store/commit-queue.ts";
import { type Retention, RetentionTimer } from "./store/retention-timer.ts";
import { SqliteStore } from "./store/sqlite-store.ts";
import type { Store } from "./store/store.ts";
import { StoreError } from "./store/store-error.ts";
import { unwritable } from "./store/unwritable.ts";

/** Hears of every durable commit: how long the store took, ms, and how many frames were in it. */
export type CommitListener = (elapsedMs: number, frames: number) => void;

/** Whether the node can do its work; each is null when all is well, and otherwise says why not. */
export interface NodeHealth {
  readonly store: string | null;
  readonly broker: string | null;
}

const DEFAULT_COMMIT_MS = 10;
/** Frames between two words about a long division. */
const TOLD_FRAMES = 100_000;

/** The cloud's end: it takes frames in, keeps a twin per device, stores what it took, and then says so. */
export class CloudNode {
  readonly #options: CloudNodeOptions;
  readonly #store: Store;
  readonly #commits: CommitQueue;
  readonly #decoding: DecodePool;
  readonly #pressure: BackPressure;
  readonly #registry: TwinRegistry;
  readonly #intake: FrameIntake;
  readonly #counters = new Counters();
  readonly #listeners = new Set<NodeEventListener>();
  readonly #commitListeners = new Set<CommitListener>();
  readonly #modules: ModuleRegistry;
  readonly #updates: FlashDesk;
  readonly #jobs: JobDesk;
  readonly #loopbacks = new Set<() => void>();
  readonly #book: DeviceBook;
  readonly #doors: NodeDoors;
  readonly #retention: RetentionTimer | undefined;
  readonly #traffic: TrafficLedger;
  readonly #openQueue: OpenQueue | null;
  readonly #garbage: GarbageTimer | undefined;
  #history: HistoryThread | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    options: CloudNodeOptions,
    { linkKeys, jobs: queue }: NodeInternals,
    { store, modules, open }: { store: Store; modules: ModuleRegistry; open: OpenQueue | null },
  ) {
    this.#options = options;
    this.#openQueue = open;
    if (open !== null) this.#garbage = new GarbageTimer({ ...open, ...options });
    this.#store = store;
    this.#modules = modules;
    this.#pressure = new BackPressure(options.clock, () => this.#doors.all());
    this.#commits = new CommitQueue({
      store,
      clock: options.clock,
      commitMs: options.commitMs ?? DEFAULT_COMMIT_MS,
      onCommit: (elapsedMs, frames) => {
        for (const listener of this.#commitListeners) listener(elapsedMs, frames);
      },
      onFailure: ({ code, message }) => {
        options.logger.error({ code }, message);
        this.#counters.add(`store.${code}`);
        this.#emit({ kind: "store-failed", code, message });
      },
      onDamage: (device, error) => {
        this.#counters.add("store.damaged-devices");
        this.#registry.damaged(device, error);
      },
      onFull: () => this.#pressure.hold("store"),
      onRoom: () => this.#pressure.release("store"),
    });
    this.#decoding = new DecodePool({
      threads: options.threads ?? automaticThreads(),
      modules,
      clock: options.clock,
      counters: this.#counters,
      onThreadEnd: (reason, isReplaced) => {
        options.logger.error({ reason, isReplaced }, "a thread that decodes has ended; its frames were decoded here");
      },
      onFull: () => this.#pressure.hold("decoding"),
      onRoom: () => this.#pressure.release("decoding"),
    });
    this.#registry = new TwinRegistry({
      reader: store.reader,
      commits: this.#commits,
      modules,
      decoding: this.#decoding,
      clock: options.clock,
      acks: options.acks ?? DEFAULT_ACK_POLICY,
      counters: this.#counters,
      emit: (event) => this.#emit(event),
    });
    const devices = () => this.#registry.all().filter(({ isStored }) => isStored);
    this.#traffic = new TrafficLedger({ commits: this.#commits, clock: options.clock, devices });
    const { retention, clock, logger, storeFile } = options;
    const counters = this.#counters;
    const [trust, files] = [new TrustFile(storeFile), new UpdateFiles(storeFile)];
    const door = registryDoor(this.#registry);
    const registerModule = (wasm: Uint8Array) => this.#register(wasm);
    const emit = (event: NodeEvent) => this.#emit(event);
    this.#updates = new FlashDesk({ door, files, trust, clock, logger, counters, registerModule, emit });
    this.#jobs = new JobDesk({ queue: queue ?? open?.queue, blobs: open?.blobs, clock, counters, logger });
    this.#book = new DeviceBook(storeFile, ({ code, message }) => logger.error({ code }, message));
    const keys = linkKeys ?? this.#book;
    const rates = options.rates === undefined ? undefined : new DeviceRates(options.rates, clock);
    const gate = new SpeakerGate(keys, rates);
    const guard = new SealGuard({ keys, registry: this.#registry, clock, emit });
    const [updates, jobs] = [this.#updates, this.#jobs];
    this.#intake = new FrameIntake(this.#registry, counters, { updates, jobs, gate, guard });
    const [registry, intake, book] = [this.#registry, this.#intake, this.#book];
    this.#doors = new NodeDoors({ options, intake, registry, counters, book, gate });
    if (retention !== undefined) this.#retention = new RetentionTimer({ store, clock, logger, counters, retention });
  }

  /**
   * Start a node. It knows every device of its store at once, and rebuilds a twin when it is first needed.
   *
   * @throws {StoreError} when the store cannot be used; it was left untouched
   * @throws {ModuleError} when a module that the operator registers may not run as a codec
   * @throws {AccessError} when the book of devices cannot be read, or everybody would reach a node that lets everybody speak
   * @throws {PortError} when a port cannot be listened on
   * @throws {BrokerError} when a foreign broker cannot carry the frames
   * @throws {JobError} `queue-away`, `queue-version` when the queue of jobs cannot be used
   */
  static async open(options: CloudNodeOptions): Promise<CloudNode> {
    return await CloudNode.openWith(options, {});
  }

  /** @internal `open`, with parts replaced by a test. */
  static async openWith(options: CloudNodeOptions, internals: NodeInternals): Promise<CloudNode> {
    const opened = new SqliteStore(options.storeFile, { maxPages: internals.maxPages ?? 0 });
    const store = internals.store?.(opened) ?? opened;
    try {
      const modules = new ModuleRegistry();
      for (const wasm of await releasedModules()) modules.add(wasm);
      for (const stored of store.reader.modules()) modules.addStored(stored);
      const registered = (options.modules ?? []).map((wasm) => modules.addChecked(wasm));
      const open = options.jobs === undefined ? null : await openQueue(options.jobs, options.clock);
      const node = new CloudNode(options, internals, { store, modules, open });
      try {
        for (const hash of registered) {
          const wasm = modules.unkept(hash);
          if (wasm !== undefined) node.#commits.record({ table: "module", hash, wasm, source: "operator" });
        }
        await node.#updates.resume();
        await node.#settle();
        await node.#doors.open();
        node.#pressure.watch();
        return node;
      } catch (error) {
        await node.#end();
        throw error;
      }
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Where devices reach the broker, without a password; null without one. */
  get mqttUrl(): string | null {
    return this.#doors.mqttUrl;
  }

  /** @internal How a client of this process reaches the broker; null without one. */
  get brokerReach(): BrokerReach | null {
    return this.#doors.brokerReach;
  }

  get tcpPort(): number | null {
    return this.#doors.tcpPort;
  }

  /** Every device that was ever born here, by name. */
  devices(): TwinView[] {
    return this.#registry
      .all()
      .map((twin) => twin.view())
      .filter((view) => view !== undefined)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Devices that were heard since the start and are not taken in, beside those that have a view. */
  refused(): RefusedDevice[] {
    return this.#registry.refused();
  }

  device(id: string): TwinView | undefined {
    return this.#registry.get(id)?.view();
  }

  /** What is stored, read on a thread of its own, so that no read delays a frame. */
  get history(): HistoryThread {
    this.#history ??= new HistoryThread(this.#options.storeFile);
    return this.#history;
  }

  /** What a device cost that may not be stored yet, by minutes. */
  freshTraffic(id: string): FreshTraffic[] {
    const twin = this.#registry.get(id);
    return twin === undefined ? [] : this.#traffic.freshOf(twin);
  }

  /** Hear what happens. @returns ends it */
  onEvent(listener: NodeEventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hear of every durable commit. @returns ends it */
  onCommit(listener: CommitListener): () => void {
    this.#commitListeners.add(listener);
    return () => this.#commitListeners.delete(listener);
  }

  /** The codec modules that devices may name, by hash. */
  modules(): ModuleFacts[] {
    return this.#modules.all();
  }

  /** @internal Updates of devices; programs have them over the API. */
  get updates(): FlashDesk {
    return this.#updates;
  }

  /** The queue of jobs, and the blobs that belong to it; null without one. */
  get jobs(): OpenQueue | null {
    return this.#openQueue;
  }

  /** The file that everything is stored in. */
  get storeFile(): string {
    return this.#options.storeFile;
  }

  /** How much history is kept. */
  get retention(): Retention {
    return this.#options.retention ?? {};
  }

  /** Whether frames can be taken in and stored now. */
  health(): NodeHealth {
    return {
      store: this.#commits.failure?.message ?? unwritable(this.#options.storeFile),
      broker: this.#doors.isBrokerReached ? null : `the broker at ${this.mqttUrl} is not reached`,
    };
  }

  /** What waits, and how often and how long devices were held back because too much did. */
  load(): NodeLoad {
    const { waitingFrames, waitingBytes } = this.#commits;
    const { waiting: decodingFrames, running: threads } = this.#decoding;
    return { waitingFrames, waitingBytes, decodingFrames, threads, ...this.#pressure.reading() };
  }

  /**
   * Take a device, or a program that has jobs, of this process in; the SDK's `Loopback` is such an end.
   *
   * @param speaker  its name, for a program that has no birth to say it by
   * @returns ends the connection
   */
  attach(end: LoopbackEnd, speaker?: string): () => void {
    const detach = attachLoopback(end, this.#intake, (source) => this.#doors.gone(source), speaker);
    const leave = () => {
      this.#loopbacks.delete(leave);
      detach();
    };
    this.#loopbacks.add(leave);
    return leave;
  }

  /**
   * Listen on a serial line, whose port may come and go; the SDK's `SerialLine` is one.
   *
   * @param path  what the log calls it
   * @returns ends it, once what was sent has left
   */
  attachLine(path: string, end: SerialEnd): () => Promise<void> {
    return this.#doors.attachLine(path, end);
  }

  /** What was counted since the start, by name. */
  counters(): Readonly<Record<string, number>> {
    return this.#counters.all();
  }

  /** Commit what was taken in, acknowledge it, and end. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#end();
    await this.#store.close();
  }

  /** End everything but the store, also of a node that was never whole. */
  async #end(): Promise<void> {
    // Else a busy fleet would keep a slow disk from ever being done.
    this.#intake.stop();
    this.#jobs.close();
    await this.#updates.close();
    this.#traffic.close();
    this.#decoding.close();
    if (!(await this.#commits.close())) this.#options.logger.error({}, "frames not committed; devices keep them");
    this.#registry.close();
    this.#pressure.close();
    this.#retention?.close();
    await this.#history?.close();
    for (const leave of this.#loopbacks) leave();
    await this.#doors.close();
    await this.#garbage?.close();
    await this.#openQueue?.close();
  }

  /** Divide what an earlier release left whole: the first start on its store takes longer, and says how far it is. */
  async #settle(): Promise<void> {
    const { logger } = this.#options;
    let [told, next] = ["", 0];
    const isDone = await this.#registry.settle((progress) => {
      const name = `${progress.device} ${progress.epoch}`;
      if (name === told && progress.frames < next) return;
      [told, next] = [name, progress.frames + TOLD_FRAMES];
      logger.info(progress, "dividing history that an earlier release left whole");
    });
    if (!isDone) logger.warn({}, "the store takes nothing now: history stays as it is until the next start");
  }

  /**
   * Let devices name a module; resolves when the store has it for good.
   *
   * @throws {StoreError} when the store cannot take it now, or not at all
   */
  async #register(wasm: Uint8Array): Promise<void> {
    const hash = this.#modules.addChecked(wasm);
    this.#modules.unkept(hash);
    let isDurable = false;
    this.#commits.record({ table: "module", hash, wasm, source: "operator" }, () => {
      isDurable = true;
    });
    await this.#commits.flush();
    if (isDurable) return;
    const { storeFile: file } = this.#options;
    throw this.#commits.failure ?? new StoreError("corrupt", { file, detail: "its part for modules is damaged" });
  }

  #emit(event: NodeEvent): void {
    this.#updates.observe(event);
    for (const listener of this.#listeners) listener(event);
  }
}
