import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import {
  compileDeviceModule,
  type DeviceSession,
  type RandomSource,
  type Transport,
  type TransportEvents,
} from "@lockstep/edge-sdk";
import {
  decodeFrame,
  decodeManifest,
  encodeFrame,
  FLASH_VERDICTS,
  type FlashCommandFrame,
  type FlashKeyName,
  type FlashPhase,
  type FlashStateFrame,
  type FlashVerdict,
  sessionId,
  type UpdateManifest,
} from "@lockstep/protocol";
import { openDevice } from "../test-device.suite.ts";

/** What goes wrong on a device of the tests. */
export interface DeviceFault {
  /** The verdict on a begin, instead of taking it. */
  readonly refuses?: FlashVerdict;
  /** The verdict on the whole body, instead of being ready. */
  readonly finds?: FlashVerdict;
  /** The verdict after the switch, instead of trying on. */
  readonly trips?: FlashVerdict;
  /** Answers lost, one in so many. */
  readonly loses?: number;
  /** Answers nothing at all. */
  readonly isMute?: boolean;
}

const CHUNK_BYTES = 256;
const SLOT_BYTES = 65_536;
const RESTART_LIMIT_MS = 10_000;

/** Who a device of the tests is. */
export interface UpdatableDeviceOptions {
  readonly id: string;
  /** What it runs at first: its firmware's own. */
  readonly wasm: Uint8Array;
  readonly keys: readonly FlashKeyName[];
  readonly random: RandomSource;
  /** Where its ring outlives its restarts. */
  readonly ringFile: string;
  /** A transport to the node, at every boot. */
  connect(): Transport;
}

/**
 * A device with an updater, as far as the cloud can tell: the real link over a real transport, and beside it a model of
 * the update machine that follows protocol/SPEC.md, section 8, in memory and without delay, and fails as it is told. What
 * a signature is worth it does not check: the machine itself does that, and its own tests.
 */
export class UpdatableDevice {
  fault: DeviceFault = {};
  /** Ops heard, in order. */
  readonly heard: FlashCommandFrame["op"][] = [];
  wasm: Uint8Array;
  version = 0;
  confirmedVersion = 0;
  readonly #options: UpdatableDeviceOptions;
  #session: DeviceSession | undefined;
  /** Samples that came while it restarted. */
  readonly #held: { readonly values: number[]; readonly timeUs: number }[] = [];
  #phase: FlashPhase = "idle";
  #verdict: FlashVerdict = "none";
  #sid = 0;
  #manifest: UpdateManifest | undefined;
  #body = new Uint8Array();
  #next = 0;
  #answers = 0;
  #before: { wasm: Uint8Array; version: number } | undefined;
  #nonce = 0;
  #isClosed = false;
  #sends: ((bytes: Uint8Array) => void) | undefined;

  private constructor(options: UpdatableDeviceOptions) {
    this.#options = options;
    this.wasm = options.wasm;
  }

  static async open(options: UpdatableDeviceOptions): Promise<UpdatableDevice> {
    const device = new UpdatableDevice(options);
    await device.#boot();
    return device;
  }

  get id(): string {
    return this.#options.id;
  }

  push(values: number[], timeUs: number): void {
    if (this.#session === undefined) this.#held.push({ values, timeUs });
    else this.#session.push(values, timeUs);
  }

  /** Close the frame in hand, and wait until the cloud has confirmed all there is. */
  async drained(limitMs: number): Promise<boolean> {
    while (this.#session === undefined && !this.#isClosed) await new Promise((resolve) => setTimeout(resolve, 5));
    this.#session?.flush();
    return (await this.#session?.drained(limitMs)) ?? false;
  }

  evictedSamples(): number {
    return this.#session?.stats().evictedSamples ?? 0;
  }

  /** Lose the power, and start again with what was kept. */
  async cutPower(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.destroy();
    await this.#boot();
  }

  /** Start what the boot record names; the ring is kept. */
  async #boot(): Promise<void> {
    const random = {
      uint32: () => {
        this.#nonce = this.#options.random.uint32();
        return this.#nonce;
      },
    };
    this.#sends = undefined;
    this.#session = await openDevice({
      device: this.id,
      transport: this.#tapped(this.#options.connect()),
      random,
      ringFile: this.#options.ringFile,
      module: compileDeviceModule(this.wasm),
      frameSamples: 10,
      silenceMs: 500,
    });
    for (const { values, timeUs } of this.#held.splice(0)) this.#session.push(values, timeUs);
  }

  /** Say something that nobody asked for. */
  say(frame: Partial<FlashStateFrame> = {}): void {
    this.send(encodeFrame({ ...this.state(), ...frame }));
  }

  /** Send any bytes where frames go. */
  send(bytes: Uint8Array): void {
    this.#sends?.(bytes);
  }

  /** Where it stands. */
  state(): FlashStateFrame {
    const model = createHash("sha256").update(this.wasm).digest("hex");
    return {
      kind: "flash",
      op: "state",
      nonce: this.#nonce,
      sid: this.#sid,
      phase: this.#phase,
      next: this.#next,
      verdict: FLASH_VERDICTS.indexOf(this.#verdict),
      detail: 0,
      running: { slot: this.version === 0 ? 255 : 0, form: "module", version: this.version, model },
      confirmedVersion: this.confirmedVersion,
      slotBytes: SLOT_BYTES,
      chunkBytes: CHUNK_BYTES,
      target: "module",
      abi: 1,
      keys: this.#options.keys,
      traps: 0,
      stackHighWater: 0,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const session = this.#session;
    this.#session = undefined;
    await session?.destroy();
  }

  /** The session's transport, with the updater's messages taken out and put in. */
  #tapped(inner: Transport): Transport {
    return {
      open: (events: TransportEvents, will) =>
        inner.open(
          {
            ...events,
            connected: () => {
              this.#sends = (bytes) => void inner.send("frames", bytes);
              events.connected();
            },
            message: (bytes) => {
              const frame = decodeFrame(bytes.slice());
              if (frame.kind === "flash" && frame.op !== "state") this.#hear(frame);
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

  #hear(frame: FlashCommandFrame): void {
    if (frame.nonce !== this.#nonce || this.fault.isMute === true) return;
    this.heard.push(frame.op);
    this.#act(frame);
    this.#answers += 1;
    if (this.fault.loses === undefined || this.#answers % this.fault.loses !== 0) this.say();
  }

  #act(frame: FlashCommandFrame): void {
    if (frame.op === "begin") this.#begin(frame.manifest);
    else if (frame.op === "ask" || frame.sid !== this.#sid) return;
    else if (frame.op === "chunk") this.#take(frame.offset, frame.data);
    else if (frame.op === "end" && this.#phase === "receiving") this.#check();
    else if (frame.op === "activate" && this.#phase === "ready") this.#switch();
    else if (frame.op === "confirm" && this.#phase === "trying") this.#keep();
    else if (frame.op === "abort" && this.#phase === "trying") this.goBack("aborted");
    else if (frame.op === "abort") this.#drop("aborted");
  }

  #begin(manifest: Uint8Array): void {
    const sid = sessionId(manifest);
    if (this.#phase === "trying" || (sid === this.#sid && this.#phase !== "idle")) return;
    this.#manifest = decodeManifest(manifest);
    [this.#sid, this.#next, this.#verdict] = [sid, 0, this.fault.refuses ?? "none"];
    if (this.#verdict !== "none") return;
    this.#body = new Uint8Array(this.#manifest.length);
    this.#phase = "receiving";
  }

  #take(offset: number, data: Uint8Array): void {
    if (this.#phase !== "receiving" || offset !== this.#next) return;
    this.#body.set(data, offset);
    this.#next += data.length;
  }

  #check(): void {
    const digest = createHash("sha256").update(this.#body).digest("hex");
    if (digest !== this.#manifest?.sha256) this.#drop("bad-digest");
    else if (this.fault.finds !== undefined) this.#drop(this.fault.finds);
    else this.#phase = "ready";
  }

  #drop(verdict: FlashVerdict): void {
    [this.#phase, this.#verdict, this.#next] = ["idle", verdict, 0];
  }

  #switch(): void {
    this.#before = { wasm: this.wasm, version: this.version };
    this.#phase = "switching";
    setTimeout(() => {
      this.wasm = this.#body;
      this.version = this.#manifest?.version ?? 0;
      this.#phase = "trying";
      void this.#restart().then(() => {
        if (this.fault.trips !== undefined) this.goBack(this.fault.trips);
      });
    }, 5);
  }

  #keep(): void {
    [this.#phase, this.#verdict] = ["idle", "none"];
    this.confirmedVersion = this.version;
  }

  /** Run what it ran before. */
  goBack(verdict: FlashVerdict): void {
    this.wasm = this.#before?.wasm ?? this.wasm;
    this.version = this.#before?.version ?? 0;
    this.#drop(verdict);
    void this.#restart();
  }

  async #restart(): Promise<void> {
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
