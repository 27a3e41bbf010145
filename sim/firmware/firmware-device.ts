import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@lockstep/edge-sdk";
import type { Firmware, FirmwarePort } from "qemu-wasm-runner";
import type { HistoryRow, HistoryVerdict } from "../fleet/history-check.ts";
import type { DeviceSummary } from "../fleet/simulated-device.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { rotorTwinSignal } from "../signals/rotor-twin.ts";
import type { Signal } from "../signals/signal.ts";
import { buildFirmware, type FirmwareBoard, hasFlash } from "./firmware-build.ts";
import { FirmwareError } from "./firmware-error.ts";
import { checkFirmwareHistory } from "./firmware-history.ts";
import { LineAccount } from "./line-account.ts";
import type { LineNoise } from "./line-noise.ts";
import { SerialWire } from "./serial-wire.ts";

/** Firmware of the repository that a scenario can name. */
export const FIRMWARE_NAMES = ["rotor-twin"] as const;

/** One device that is firmware under QEMU. */
export interface FirmwarePlan {
  /** 1 … 56 of `[A-Za-z0-9_-]` */
  readonly id: string;
  readonly firmware: (typeof FIRMWARE_NAMES)[number];
  readonly board: FirmwareBoard;
  /** Samples per second, a divisor of 1000. */
  readonly rateHz: number;
  /** Its ring is in flash, and outlives its power; only on a board that has some. */
  readonly keepsRing: boolean;
  /** On its line. */
  readonly noise?: LineNoise | undefined;
}

export interface FirmwareDeviceOptions extends FirmwarePlan {
  /** For its flash. */
  readonly folder: string;
  /** Where its end of the line listens: a Unix socket. */
  readonly linePath: string;
  /** Where built programs are kept. */
  readonly cacheFolder: string;
  readonly random: SeededRandom;
  readonly clock: Clock;
  /** Told when QEMU has ended, and nobody has cut its power. */
  readonly onEnd: (found: string) => void;
}

/** rotor-twin promises 32 units of 2⁻¹⁵. */
const ROTOR_EPS = 32 * 2 ** -15;
/** Of virt's second flash chip; what a factory leaves in it does not matter. */
const FLASH_BYTES = 32 * 2 ** 20;
const FLOAT_BYTES = 4;
/** A Unix socket's path is in an array of 104 bytes on some systems, and ends in a zero. @see unix(4), unix(7) */
const SOCKET_PATH_BYTES_MAX = 103;

/** A device that is firmware under QEMU, at the end of a serial line. What it did is told from what passed on that line. */
export class FirmwareDevice {
  readonly account = new LineAccount();
  readonly signal: Signal;
  /** Bound of every channel. */
  readonly eps: number;
  readonly #options: FirmwareDeviceOptions;
  readonly #wire: SerialWire;
  #firmware: Firmware | undefined;
  #port: FirmwarePort | undefined;
  #isClosed = false;
  #boots = 0;
  /** Epochs that ended with the power. */
  #past: ReadonlySet<number> = new Set();
  /** Frames of each epoch that had been sent when the scenario was over. */
  #target: ReadonlyMap<number, number> = new Map();

  constructor(options: FirmwareDeviceOptions) {
    this.#options = options;
    this.signal = rotorTwinSignal(options.rateHz);
    this.eps = ROTOR_EPS;
    const { linePath: path, noise, random } = options;
    this.#wire = new SerialWire({
      ...{ path, noise, random },
      onUp: (chunk) => this.account.said(chunk),
      onDown: (chunk) => this.account.heard(chunk),
    });
  }

  /** Where its end of the line listens. */
  get linePath(): string {
    return this.#options.linePath;
  }

  get id(): string {
    return this.#options.id;
  }

  /**
   * Build it, and lay its line.
   *
   * @throws {FirmwareError} `no-sources`, `missing-tool`, `path-too-long`; what the build throws
   */
  async prepare(): Promise<void> {
    const { firmware, board, id, rateHz, keepsRing, cacheFolder } = this.#options;
    expectSocketPath(this.linePath);
    const sources = ["main.c", "rotor.c"];
    const flags = [`-DRATE_HZ=${rateHz}`];
    this.#firmware = await buildFirmware({ example: firmware, board, name: id, sources, flags, cacheFolder });
    if (keepsRing && hasFlash(board)) {
      writeFileSync(this.#flashFile(), "");
      truncateSync(this.#flashFile(), FLASH_BYTES);
    }
    await this.#wire.lay();
  }

  /**
   * Start QEMU: a boot of its own, with the flash that the last one left. Once it is closed, nothing.
   *
   * @throws {RunnerError} as `openPort`
   */
  async powerOn(): Promise<void> {
    if (this.#firmware === undefined || this.#port !== undefined || this.#isClosed) return;
    const { board, keepsRing, onEnd } = this.#options;
    const drive = ["-drive", `if=pflash,unit=1,format=raw,file=${this.#flashFile().replaceAll(",", ",,")}`];
    const { openPort } = await import("qemu-wasm-runner");
    const port = await openPort(this.#firmware, { extraArgs: keepsRing && hasFlash(board) ? drive : [] });
    // Closed while QEMU was starting: nobody else would end it.
    if (this.#isClosed) return closePort(port);
    this.#boots += 1;
    this.#port = port;
    this.#wire.plugIn(port);
    port.on("error", () => {});
    port.on("data", (chunk: Buffer) => this.#wire.up(chunk));
    const program = port.port?.link;
    port.on("close", async () => {
      if (this.#port !== port) return;
      this.#unplug();
      const end = await program?.ended;
      onEnd(end?.signal ? `QEMU ended by ${end.signal}` : `QEMU ended with ${end?.exitCode ?? "no code"}`);
    });
  }

  /** End QEMU as a power failure would. */
  async powerCut(): Promise<void> {
    const port = this.#port;
    if (port === undefined) return;
    this.#unplug();
    this.#past = new Set(this.account.epochs.keys());
    await closePort(port);
  }

  cutLink(): Promise<void> {
    return this.#wire.cut();
  }

  mendLink(): Promise<void> {
    return this.#wire.lay();
  }

  /**
   * Wait until every frame is confirmed that the device has sent so far and still has; it goes on with others meanwhile.
   * A boot that runs and has not sent one yet is waited for.
   *
   * @returns false when one was not after `timeoutMs`
   */
  async settled(timeoutMs: number): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(resolve, timeoutMs);
    if (this.#port !== undefined) await Promise.race([late, this.account.until(() => this.#hasSent())]);
    const held = [...this.account.epochs].filter(([epoch]) => this.#options.keepsRing || !this.#past.has(epoch));
    this.#target = new Map(held.map(([epoch, { sent }]) => [epoch, Math.max(-1, ...sent.keys()) + 1]));
    const isConfirmed = () => this.#frames((epoch) => this.#target.get(epoch) ?? 0) === 0;
    await Promise.race([late, this.account.until(isConfirmed)]);
    timer.cancel();
    return this.#hasSent() && isConfirmed();
  }

  /** Stop, and leave nothing running, nor anything that could start it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.powerCut();
    await this.#wire.cut();
  }

  /** What it did, and what a store holds of it. @param rows  in order of (epoch, index) */
  outcome(rows: Iterable<HistoryRow>): DeviceSummary & Omit<HistoryVerdict, "samples"> & { readonly stored: number } {
    const { signal, eps, account } = this;
    const truth = { id: this.id, signal, eps, epochs: account.epochs, target: this.#target };
    const { sent, confirmed, lostUnsaved, samples: stored, ...verdict } = checkFirmwareHistory(truth, rows);
    return { ...this.#summary(sent, confirmed, lostUnsaved), ...verdict, stored };
  }

  #summary(samples: number, confirmed: number, unsaved: number): DeviceSummary {
    const channels = this.signal.channels.length;
    return {
      id: this.id,
      lookahead: "none",
      samples,
      channels,
      rawBytes: samples * channels * FLOAT_BYTES,
      ...this.account.traffic,
      confirmed,
      evicted: this.account.evicted,
      unsaved,
      unconfirmedFrames: this.#frames((epoch) => this.#target.get(epoch) ?? 0),
      boots: this.#boots,
      connections: this.#wire.connections,
    };
  }

  /** Whether this boot has sent a frame. */
  #hasSent(): boolean {
    return [...this.account.epochs].some(([epoch, { sent }]) => sent.size > 0 && !this.#past.has(epoch));
  }

  /** Frames below `next` of each epoch that are not confirmed. */
  #frames(next: (epoch: number) => number): number {
    return [...this.account.epochs].reduce(
      (sum, [epoch, { confirmed }]) => sum + Math.max(0, next(epoch) - confirmed),
      0,
    );
  }

  #unplug(): void {
    this.#port = undefined;
    this.#wire.plugIn(undefined);
  }

  #flashFile(): string {
    return join(this.#options.folder, `${this.id}.flash`);
  }
}

async function closePort(port: FirmwarePort): Promise<void> {
  if (port.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
}

function expectSocketPath(path: string): void {
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return;
  throw new FirmwareError("path-too-long", { path, most: String(SOCKET_PATH_BYTES_MAX) });
}
