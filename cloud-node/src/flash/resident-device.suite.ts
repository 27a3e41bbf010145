import { readFileSync, rmSync } from "node:fs";
import {
  type BootedModule,
  compileDeviceModule,
  type DeviceSession,
  memoryUpdateStore,
  type Transport,
  UpdateDevice,
} from "@lockstep/edge-sdk";
import { openDevice } from "../test-device.suite.ts";
import type { TrustedKey } from "./signing-key.ts";
import type { UpdatableDeviceOptions } from "./updatable-device.suite.ts";

const UPDATE_WASM = new Uint8Array(readFileSync(new URL("../../../edge-sdk/build/update.wasm", import.meta.url)));
/** Between two looks at what is due, ms. */
const TURN_MS = 5;
const RESTART_LIMIT_MS = 10_000;

/** Who it is, and whose packages it takes. */
interface ResidentDeviceOptions extends Omit<UpdatableDeviceOptions, "keys"> {
  readonly keys: readonly TrustedKey[];
}

/**
 * A device as it is: the update machine itself, slots and boot records beside it, the real link over a real transport.
 * Its power can be cut at any time.
 */
export class ResidentDevice {
  readonly #options: ResidentDeviceOptions;
  readonly #store = memoryUpdateStore();
  #resident: UpdateDevice;
  #session: DeviceSession | undefined;
  #send: ((bytes: Uint8Array) => boolean) | undefined;
  #turn: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;
  readonly #held: { readonly values: number[]; readonly timeUs: number }[] = [];
  booted: BootedModule | undefined;
  boots = 0;

  private constructor(options: ResidentDeviceOptions) {
    this.#options = options;
    this.#resident = this.#make();
  }

  static async open(options: ResidentDeviceOptions): Promise<ResidentDevice> {
    const device = new ResidentDevice(options);
    await device.#boot();
    return device;
  }

  get id(): string {
    return this.#options.id;
  }

  get confirmedVersion(): number {
    return this.#resident.record.confirmedVersion;
  }

  push(values: number[], timeUs: number): void {
    if (this.#session === undefined) this.#held.push({ values, timeUs });
    else this.#session.push(values, timeUs);
  }

  async drained(limitMs: number): Promise<boolean> {
    while (this.#session === undefined && !this.#isClosed) await new Promise((resolve) => setTimeout(resolve, 5));
    this.#session?.flush();
    return (await this.#session?.drained(limitMs)) ?? false;
  }

  /** Lose the power, and start again with what was kept. */
  async cutPower(): Promise<void> {
    while (this.#session === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    clearInterval(this.#turn);
    const session = this.#session;
    this.#session = undefined;
    await session.destroy();
    this.#resident = this.#make();
    await this.#boot();
  }

  /** What runs traps, or hangs. */
  async trap(verdict: "trapped" | "watchdog"): Promise<void> {
    this.#resident.trapped(verdict);
    await this.#restart();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#turn);
    const session = this.#session;
    this.#session = undefined;
    await session?.destroy();
  }

  #make(): UpdateDevice {
    const { keys, wasm } = this.#options;
    return new UpdateDevice({
      ...{ machine: UPDATE_WASM, store: this.#store },
      keys: keys.map(({ algorithm, bytes }) => ({ algorithm, bytes })),
      builtIn: { wasm: new Uint8Array(wasm), version: 0 },
    });
  }

  async #boot(): Promise<void> {
    const nonce = this.#options.random.uint32();
    this.boots += 1;
    const booted = this.#resident.boot(nonce, nowMs());
    this.booted = booted;
    this.#session = await openDevice({
      device: this.id,
      transport: this.#tapped(this.#options.connect()),
      random: { uint32: () => nonce },
      ringFile: this.#options.ringFile,
      module: compileDeviceModule(booted.wasm),
      frameSamples: 10,
      silenceMs: 500,
    });
    for (const { values, timeUs } of this.#held.splice(0)) this.#session.push(values, timeUs);
    this.#turn = setInterval(() => this.#run(), TURN_MS);
  }

  /** The session's transport, with the machine's messages taken out and put in. */
  #tapped(inner: Transport): Transport {
    return {
      open: (events, will) =>
        inner.open(
          {
            ...events,
            connected: () => {
              this.#send = (bytes) => inner.send("frames", bytes);
              events.connected();
            },
            message: (bytes) => {
              if (this.#resident.receive(bytes, nowMs())) this.#run();
              else events.message(bytes);
            },
          },
          will,
        ),
      send: (topic, bytes) => inner.send(topic, bytes),
      useAlias: (alias) => inner.useAlias(alias),
      close: () => inner.close(),
      destroy: () => inner.destroy(),
    };
  }

  #run(): void {
    if (this.#session === undefined) return;
    const { nextSeq, unconfirmedFrames } = this.#session.stats();
    this.#resident.acknowledged(nextSeq - unconfirmedFrames);
    for (;;) {
      const message = this.#resident.poll();
      if (message !== undefined) this.#send?.(message);
      const did = this.#resident.act(nowMs());
      if (did === "restart") {
        void this.#restart();
        return;
      }
      if (did === "idle" && message === undefined) return;
    }
  }

  async #restart(): Promise<void> {
    clearInterval(this.#turn);
    const session = this.#session;
    this.#session = undefined;
    // A ring belongs to one module: what it holds is brought in before the other one begins with an empty one.
    session?.flush();
    await session?.drained(RESTART_LIMIT_MS);
    await session?.close();
    rmSync(this.#options.ringFile, { force: true });
    if (!this.#isClosed) await this.#boot();
  }
}

function nowMs(): number {
  return Math.floor(performance.now()) >>> 0;
}
