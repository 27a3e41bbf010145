import {
  addTraffic,
  type BuiltInModule,
  type ChannelPlan,
  type Clock,
  type DeviceModule,
  DeviceSession,
  type Lookahead,
  type MacKey,
  memoryUpdateStore,
  NO_TRAFFIC,
  planChannel,
  type RandomSource,
  type SessionStats,
  type SessionTraffic,
  type Transport,
  type TrustedKey,
  UpdatableSession,
  type UpdateStore,
} from "@lockstep/edge-sdk";
import type { Signal, SignalReader } from "../signals/signal.ts";
import { SampleLedger } from "./sample-ledger.ts";

/** The bound that is asked for: in the channels' units, or as a part of each channel's range. */
export type EpsRule = { readonly abs: number } | { readonly rel: number };

/** How a device may be updated: it keeps what it is given in memory, for all its boots. */
export interface DeviceUpdates {
  /** Bytes of `update.wasm`. */
  readonly machine: Uint8Array;
  /** 1 … 4: whose packages are taken. */
  readonly keys: readonly TrustedKey[];
  /** The module that it came with: that of `module`, with its version. */
  readonly builtIn: BuiltInModule;
}

export interface SimulatedDeviceOptions {
  readonly id: string;
  readonly signal: Signal;
  readonly eps: EpsRule;
  readonly frameSamples: number;
  readonly silenceMs: number;
  readonly ringBytes?: number | undefined;
  /** Needed for a device that is to survive a power cut. */
  readonly ringFile?: string | undefined;
  readonly mtu?: number | undefined;
  /** What it puts MACs on its frames with; none unless given. */
  readonly macKey?: MacKey | undefined;
  /** Device time of sample 0, µs. */
  readonly startUs: number;
  /** A new transport, for each boot. */
  connect(): Transport;
  readonly module: DeviceModule;
  /** "none" unless given; more needs a gateway's module. */
  readonly lookahead?: Lookahead | undefined;
  readonly clock: Clock;
  /** Whose packages replace its module; none unless given. What it runs then is the module that it came with. */
  readonly updates?: DeviceUpdates | undefined;
  /** Where each boot takes its nonce: never one that a boot of this device against the same store had before. */
  readonly nonces: RandomSource;
}

/** What one device did and cost, over all its boots. */
export interface DeviceSummary extends SessionTraffic {
  readonly id: string;
  /** How far it looks ahead in a frame. */
  readonly lookahead: Lookahead;
  /** Samples that were taken; those that passed while the power was off are not among them. */
  readonly samples: number;
  readonly channels: number;
  /** The same samples as float32. */
  readonly rawBytes: number;
  readonly confirmed: number;
  readonly evicted: number;
  readonly unsaved: number;
  readonly unconfirmedFrames: number;
  readonly boots: number;
  readonly connections: number;
}

const FLOAT_BYTES = 4;
/**
 * A device with a signal for a sensor. The signal goes on whether the device has power or not; sample n of it is taken at
 * device time `startUs` + n periods, and can be made again from the signal at any time, so that the truth costs no memory.
 */
export class SimulatedDevice {
  readonly ledger = new SampleLedger();
  readonly channels: readonly ChannelPlan[];
  /** Bound per channel, in its unit. */
  readonly eps: readonly number[];
  readonly #options: SimulatedDeviceOptions;
  readonly #reader: SignalReader;
  readonly #row: Float64Array;
  readonly #slots: UpdateStore = memoryUpdateStore();
  #session: DeviceSession | UpdatableSession | undefined;
  #next = 0;
  #samples = 0;
  #boots = 0;
  #connections = 0;
  #past: SessionTraffic = NO_TRAFFIC;
  #hasEnded = false;

  /** @throws {CodecError} when a channel cannot keep what is asked of it */
  constructor(options: SimulatedDeviceOptions) {
    const { signal, eps } = options;
    this.#options = options;
    this.#reader = signal.read();
    this.#row = new Float64Array(signal.channels.length);
    this.eps = signal.channels.map(({ min, max }) => ("abs" in eps ? eps.abs : eps.rel * (max - min)));
    this.channels = signal.channels.map(({ name, unit, min, max }, c) =>
      planChannel({ name, unit, min, max, eps: this.eps[c] ?? 0 }),
    );
  }

  get id(): string {
    return this.#options.id;
  }

  get signal(): Signal {
    return this.#options.signal;
  }

  get startUs(): number {
    return this.#options.startUs;
  }

  /** Number of the next sample. */
  get next(): number {
    return this.#next;
  }

  /** The signal is over. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get isOn(): boolean {
    return this.#session !== undefined;
  }

  /** The running session's numbers; undefined without power. */
  get stats(): SessionStats | undefined {
    return this.#session?.stats();
  }

  /** Switch on: a boot of its own, with the ring that the last one left in its file. */
  async powerOn(): Promise<void> {
    if (this.#session !== undefined) return;
    const session = await this.#boot();
    this.#boots += 1;
    this.ledger.booted(session.stats(), this.#next);
    this.#session = session;
  }

  #boot(): Promise<DeviceSession | UpdatableSession> {
    const { id, signal, clock, nonces, module, lookahead, frameSamples, silenceMs, mtu } = this.#options;
    const { ringBytes, ringFile, updates, macKey } = this.#options;
    const own = {
      device: id,
      firmware: "lockstep sim",
      channels: this.channels,
      frameSamples,
      periodNs: signal.periodNs,
      silenceMs,
      ringBytes,
      mtu,
      macKey,
      clock,
      random: nonces,
      onStep: () => {
        if (this.#session !== undefined) this.ledger.stepped(this.#session.stats(), this.#next);
      },
    };
    if (updates === undefined) {
      return DeviceSession.open({ ...own, ringFile, transport: this.#options.connect(), module, lookahead });
    }
    const update = { ...updates, store: this.#slots };
    return UpdatableSession.open({ ...own, update, connect: () => this.#options.connect() });
  }

  /** Lose power: what is not in the ring file is gone, and nobody is told. */
  async powerCut(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    this.#account(session);
    this.#session = undefined;
    // The signal goes on while the transport is torn down.
    this.ledger.powerFailed(this.#next);
    await session.destroy();
  }

  /**
   * Let the signal go on to sample `end` (exclusive), and take what passes.
   *
   * @returns false when the signal was over before
   */
  advanceTo(end: number): boolean {
    while (this.#next < end && !this.#hasEnded) {
      if (!this.#reader.next(this.#row)) {
        this.#hasEnded = true;
        break;
      }
      const timeUs = this.timeUs(this.#next);
      this.#next += 1;
      if (this.#session === undefined) continue;
      this.#samples += 1;
      this.#session.push(this.#row, timeUs);
    }
    return !this.#hasEnded;
  }

  /** Device time of a sample, µs. */
  timeUs(sample: number): number {
    return this.#options.startUs + Math.round((sample * this.#options.signal.periodNs) / 1000);
  }

  /** Put the frame in hand into the ring. */
  flush(): void {
    this.#session?.flush();
  }

  /** Wait until at most `frames` are unconfirmed. @returns false when they were more after `timeoutMs` */
  async settled(frames: number, timeoutMs: number): Promise<boolean> {
    return (await this.#session?.settled(frames, timeoutMs)) ?? true;
  }

  summary(): DeviceSummary {
    const stats = this.#session?.stats();
    const width = this.channels.length;
    return {
      id: this.id,
      lookahead: this.#options.lookahead ?? "none",
      samples: this.#samples,
      channels: width,
      rawBytes: this.#samples * width * FLOAT_BYTES,
      ...(stats === undefined ? this.#past : addTraffic(this.#past, stats)),
      confirmed: this.ledger.confirmed.count,
      evicted: this.ledger.evicted.count,
      unsaved: this.ledger.unsaved.count,
      unconfirmedFrames: stats?.unconfirmedFrames ?? 0,
      boots: this.#boots,
      connections: this.#connections + (stats?.connections ?? 0),
    };
  }

  /** Say good-bye and stop. */
  async close(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    await session.close();
    this.#account(session);
    this.#session = undefined;
  }

  #account(session: DeviceSession | UpdatableSession): void {
    const stats = session.stats();
    this.#past = addTraffic(this.#past, stats);
    this.#connections += stats.connections;
  }
}
