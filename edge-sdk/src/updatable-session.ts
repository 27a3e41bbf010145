import { rmSync } from "node:fs";
import type { Timer } from "./clock.ts";
import { compileDeviceModule, type DeviceModule } from "./device-module.ts";
import { DeviceSession } from "./device-session.ts";
import { leftRings, ringFileFor } from "./ring-folder.ts";
import { sealTransport } from "./sealed-transport.ts";
import type { DeviceSessionOptions, SessionStats } from "./session-options.ts";
import { addTraffic, NO_TRAFFIC, type SessionTraffic } from "./session-traffic.ts";
import { TappedTransport } from "./tapped-transport.ts";
import type { Transport } from "./transport.ts";
import { type BootedModule, UpdateDevice, type UpdateDeviceOptions } from "./update-device.ts";

export interface UpdatableSessionOptions
  extends Omit<DeviceSessionOptions, "module" | "transport" | "lookahead" | "ringFile"> {
  /** Slots, keys, and the module that the device came with. */
  readonly update: UpdateDeviceOptions;
  /** A new transport, for every boot. */
  connect(): Transport;
  /** Keep the rings in this folder, which exists, so that they outlive the process: a file for each module's. */
  readonly ringFolder?: string | undefined;
  /** Told what takes samples from now on. */
  readonly onBoot?: ((booted: BootedModule) => void) | undefined;
}

/** A module's session. */
interface Boot {
  readonly session: DeviceSession;
  readonly transport: TappedTransport;
  readonly ringFile: string | undefined;
}

/** What sessions that have ended did. */
interface Past {
  traffic: SessionTraffic;
  frames: number;
  samples: number;
  acknowledged: number;
  evicted: number;
  connections: number;
}

/** How often it is looked whether something is due that no message announces, ms. */
const LOOK_MS = 250;
/** Actions between two samples. */
const ACTIONS_A_TURN = 4;

/**
 * A device whose module can be replaced while it streams. A switch closes the frame in hand; the new module takes the next
 * sample, in a ring of its own, and speaks when the cloud has confirmed what the old one left: frames of both come in order,
 * each under its own birth. What traps, is aborted or not confirmed in time gives way to what ran before.
 *
 *     samples ─▶ last boot      first boot, until all that it left is confirmed ─▶ transport
 */
export class UpdatableSession {
  readonly #options: UpdatableSessionOptions;
  readonly #device: UpdateDevice;
  /** The first one speaks, the last one takes samples. */
  #boots: Boot[] = [];
  readonly #past: Past = { traffic: NO_TRAFFIC, frames: 0, samples: 0, acknowledged: 0, evicted: 0, connections: 0 };
  #running: BootedModule;
  #newest: Boot;
  #look: Timer | undefined;
  #pending: Uint8Array | undefined;
  /** What must have ended before the next boot connects. */
  #ending: Promise<void> = Promise.resolve();
  #isConnecting = false;
  #isClosed = false;
  #failure: unknown;

  /**
   * Start a device: boot what its store says, and connect. Resolves at once, whether the cloud can be reached or not.
   *
   * @throws {SessionError} as `DeviceSession.open`
   * @throws {UpdateError} `store`, `settings`
   * @throws {ModuleError} when the machine, or the module that the device came with, is none that a device may run
   */
  static async open(options: UpdatableSessionOptions): Promise<UpdatableSession> {
    const session = new UpdatableSession(options);
    session.#connectFirst();
    session.#work();
    await session.#ending;
    return session;
  }

  private constructor(options: UpdatableSessionOptions) {
    this.#options = options;
    this.#device = new UpdateDevice(options.update);
    const nonce = options.random.uint32();
    this.#running = this.#device.boot(nonce, this.#nowMs());
    const module = compileDeviceModule(this.#running.wasm);
    const ringFile = this.#ringFile(module);
    for (const left of leftRings(options.ringFolder, ringFile, (slot) => this.#device.moduleIn(slot)?.wasm)) {
      this.#boots.push(this.#prepare(left.module, options.random.uint32(), left.file));
    }
    this.#newest = this.#prepare(module, nonce, ringFile);
    this.#boots.push(this.#newest);
    options.onBoot?.(this.#running);
  }

  /** What takes samples now. */
  get running(): BootedModule {
    return { ...this.#running, isTrying: this.#device.record.triedSlot !== undefined };
  }

  /**
   * Take one sample of every channel. A module that traps on it gives way to what ran before, which takes it.
   *
   * @throws as `DeviceSession.push`; a trap of a module that is not on trial
   */
  push(values: ArrayLike<number>, timeUs: number = this.#options.clock.unixUs()): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#newest.session.push(values, timeUs);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError) || this.#isClosed) throw error;
      this.#trapped();
      this.#newest.session.push(values, timeUs);
    }
    this.#work();
  }

  /** Close the frame in hand. */
  flush(): void {
    this.#newest.session.flush();
  }

  /** Wait until the cloud has confirmed every frame; call `flush` first. @returns false when it had not after `timeoutMs` */
  drained(timeoutMs: number): Promise<boolean> {
    return this.settled(0, timeoutMs);
  }

  /** Wait until at most `frames` are unconfirmed. @returns false when they were more after `timeoutMs` */
  async settled(frames: number, timeoutMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const until = clock.nowMs() + timeoutMs;
    while (this.stats().unconfirmedFrames > frames) {
      const leftMs = until - clock.nowMs();
      const [first] = this.#boots;
      if (leftMs <= 0 || this.#isClosed || first === undefined) return false;
      await first.session.settled(this.#boots.length === 1 ? frames : 0, Math.min(leftMs, LOOK_MS));
      this.#advance();
      await this.#ending;
    }
    return true;
  }

  /** Numbers of all boots since it was opened; phase, epoch, ring fill and what is in hand are the newest one's. */
  stats(): SessionStats {
    const all = this.#boots.map(({ session }) => session.stats());
    const sum = (pick: (stats: SessionStats) => number) => all.reduce((total, stats) => total + pick(stats), 0);
    const nextSeq = this.#past.frames + sum((stats) => stats.nextSeq);
    const unconfirmedFrames = sum((stats) => stats.unconfirmedFrames);
    return {
      ...this.#newest.session.stats(),
      ...all.reduce<SessionTraffic>(addTraffic, this.#past.traffic),
      samples: this.#past.samples + sum((stats) => stats.samples),
      nextSeq,
      oldestSeq: nextSeq - unconfirmedFrames,
      unconfirmedFrames,
      acknowledgedFrames: this.#past.acknowledged + sum((stats) => stats.acknowledgedFrames),
      evictedSamples: this.#past.evicted + sum((stats) => stats.evictedSamples),
      adoptedFrames: sum((stats) => stats.adoptedFrames),
      connections: this.#past.connections + sum((stats) => stats.connections),
    };
  }

  /** Put the frame in hand into the ring, say good-bye, and stop. */
  async close(): Promise<void> {
    await this.#stop((session) => session.close());
  }

  /** Stop as if power had failed. */
  async destroy(): Promise<void> {
    await this.#stop((session) => session.destroy());
  }

  async #stop(end: (session: DeviceSession) => Promise<void>): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#look?.cancel();
    await this.#ending;
    try {
      await Promise.all(this.#boots.map(({ session }) => end(session)));
    } finally {
      this.#options.update.store.close();
    }
  }

  #prepare(module: DeviceModule, nonce: number, ringFile: string | undefined): Boot {
    const { update: _update, connect, ringFolder: _folder, onBoot: _onBoot, macKey, mtu, ...rest } = this.#options;
    const { device } = rest;
    // Below the tap: what the machine says and hears goes by the same link.
    const transport = new TappedTransport(
      () =>
        macKey === undefined ? connect() : sealTransport(connect(), { key: macKey, device, nonce, mtu: mtu ?? 0 }),
      (message) => this.#hear(message),
      () => this.#work(),
    );
    const session = DeviceSession.prepare({
      ...rest,
      mtu: macKey === undefined ? mtu : undefined,
      module,
      transport,
      ringFile,
      random: { uint32: () => nonce },
      onStep: (cause) => {
        this.#options.onStep?.(cause);
        if (cause === "receive") this.#advance();
      },
    });
    return { session, transport, ringFile };
  }

  #ringFile(module: DeviceModule): string | undefined {
    const taken = this.#boots.map(({ ringFile }) => ringFile);
    return ringFileFor(this.#options.ringFolder, module.model, taken);
  }

  /** Boot what the record says now: it takes the next sample, and speaks after those before it. */
  #reboot(): void {
    const nonce = this.#options.random.uint32();
    this.#running = this.#device.boot(nonce, this.#nowMs());
    const module = compileDeviceModule(this.#running.wasm);
    this.#newest = this.#prepare(module, nonce, this.#ringFile(module));
    this.#boots.push(this.#newest);
    this.#pending = undefined;
    this.#options.onBoot?.(this.#running);
    this.#advance();
  }

  /** What is in hand when a boot ends goes into its ring; a module that traps on it has lost it. */
  #closeFrame(): void {
    try {
      this.#newest.session.flush();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#past.evicted += this.#newest.session.stats().pendingSamples;
    }
  }

  #trapped(): void {
    const { session } = this.#newest;
    this.#device.trapped("trapped");
    const { unconfirmedFrames, pendingSamples } = session.stats();
    this.#past.evicted += unconfirmedFrames * this.#options.frameSamples + pendingSamples;
    this.#end(this.#newest);
    this.#reboot();
  }

  /** The first boot has said all that it had to say, once another takes the samples: the next one speaks. */
  #advance(): void {
    for (;;) {
      const [first] = this.#boots;
      if (first === undefined || this.#boots.length === 1 || this.#isClosed) break;
      if (first.session.stats().unconfirmedFrames > 0) break;
      this.#end(first);
    }
    this.#connectFirst();
  }

  #end(boot: Boot): void {
    const stats = boot.session.stats();
    this.#past.traffic = addTraffic(this.#past.traffic, stats);
    this.#past.frames += stats.nextSeq;
    this.#past.samples += stats.samples;
    this.#past.acknowledged += stats.acknowledgedFrames;
    this.#past.evicted += stats.evictedSamples;
    this.#past.connections += stats.connections;
    this.#boots = this.#boots.filter((other) => other !== boot);
    this.#isConnecting = false;
    this.#then(async () => {
      await boot.session.destroy();
      if (boot.ringFile !== undefined) rmSync(boot.ringFile, { force: true });
    });
  }

  #connectFirst(): void {
    if (this.#isConnecting || this.#isClosed) return;
    this.#isConnecting = true;
    const [first] = this.#boots;
    this.#then(async () => {
      if (!this.#isClosed && first !== undefined && this.#boots[0] === first) await first.session.connect();
    });
  }

  #then(act: () => Promise<void>): void {
    this.#ending = this.#ending.then(act).catch((failure) => {
      this.#failure ??= failure;
    });
  }

  #hear(message: Uint8Array): boolean {
    const isOurs = this.#device.receive(message, this.#nowMs());
    if (isOurs) this.#work();
    return isOurs;
  }

  /** Carry out what is due, a little at a time, and say what there is to say. */
  #work(): void {
    if (this.#isClosed) return;
    this.#look?.cancel();
    const { clock } = this.#options;
    this.#device.acknowledged(this.#newest.session.stats().acknowledgedFrames);
    let isIdle = false;
    for (let i = 0; i < ACTIONS_A_TURN && !isIdle; i++) {
      const done = this.#device.act(this.#nowMs());
      this.#say();
      if (done === "restart") {
        this.#closeFrame();
        this.#reboot();
      }
      isIdle = done === "idle";
    }
    this.#look = clock.setTimer(() => this.#attempt(() => this.#work()), isIdle ? LOOK_MS : 1);
  }

  #say(): void {
    const [first] = this.#boots;
    if (first !== this.#newest || first.session.stats().phase !== "live") return;
    this.#pending ??= this.#device.poll();
    if (this.#pending !== undefined && first.transport.send("frames", this.#pending)) this.#pending = undefined;
  }

  /** A failure outside of a call is told at the next one. */
  #attempt(act: () => void): void {
    try {
      act();
    } catch (failure) {
      this.#failure ??= failure;
    }
  }

  /** Monotonic, wraps at 2³². */
  #nowMs(): number {
    return Math.floor(this.#options.clock.nowMs()) >>> 0;
  }
}
