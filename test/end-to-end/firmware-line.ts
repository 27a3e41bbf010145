import { Duplex } from "node:stream";
import { decodeFrame, expandSeq, type Frame, FrameError, matchEpoch, SerialDeframer } from "@lockstep/protocol";
import type { SeededRandom } from "@lockstep/sim";
import { type Firmware, type FirmwarePort, openPort } from "qemu-wasm-runner";

/** What a device has shown of one epoch on its line. */
export interface EpochAccount {
  /** Samples of each frame that it has sent, by seq. */
  readonly sent: Map<number, number>;
  /** Frames below this were confirmed to it. */
  confirmed: number;
}

const NOISE_BYTES_MAX = 40;
/** Of the examples' birth, for which a frame says 0. */
const FRAME_SAMPLES = 100;

/**
 * Firmware under QEMU on a noisy serial line. Whenever the line is opened the firmware is started; it is killed without
 * a word. Everything that passes is written down before it goes on.
 */
export class FirmwareLine {
  readonly accounts = new Map<number, EpochAccount>();
  starts = 0;
  disturbed = 0;
  readonly #firmware: Firmware;
  readonly #extraArgs: readonly string[];
  readonly #random: SeededRandom;
  readonly #noiseEveryBytes: number;
  #port: FirmwarePort | undefined;
  #onNews: () => void = () => {};

  /** @param noiseEveryBytes  noise comes once in so many bytes that pass, in either direction */
  constructor(firmware: Firmware, extraArgs: readonly string[], random: SeededRandom, noiseEveryBytes: number) {
    this.#noiseEveryBytes = noiseEveryBytes;
    this.#firmware = firmware;
    this.#extraArgs = extraArgs;
    this.#random = random;
  }

  /** Start the firmware, and give its line to the cloud. */
  async open(): Promise<Duplex> {
    const port = await openPort(this.#firmware, { extraArgs: this.#extraArgs });
    this.#port = port;
    this.starts += 1;
    this.#onNews();
    const [up, down] = [new SerialDeframer(), new SerialDeframer()];
    const line = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        for (const frame of framesOf(down, chunk)) this.#heard(frame);
        port.write(this.#withNoise(chunk));
        done();
      },
      destroy: (error, done) => {
        if (port.isOpen) port.close(() => done(error));
        else done(error);
      },
    });
    port.on("error", () => {});
    port.on("close", () => line.destroy());
    port.on("data", (chunk: Buffer) => {
      for (const frame of framesOf(up, chunk)) this.#said(frame);
      if (!line.destroyed) line.push(this.#withNoise(chunk));
    });
    return line;
  }

  /** Frames that the device has sent, each counted once. */
  get framesSent(): number {
    return [...this.accounts.values()].reduce((sum, { sent }) => sum + sent.size, 0);
  }

  /** Wait until what has passed on the line is enough. */
  until(isEnough: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onNews = () => {
        if (isEnough()) resolve();
      };
      this.#onNews();
    });
  }

  /** End QEMU as a power failure would. */
  kill(): void {
    const pid = this.#port?.port?.link.pid;
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }

  #account(epoch: number): EpochAccount {
    const account = this.accounts.get(epoch) ?? { sent: new Map<number, number>(), confirmed: 0 };
    this.accounts.set(epoch, account);
    return account;
  }

  #heard(frame: Frame): void {
    if (frame.kind !== "ack" && frame.kind !== "welcome") return;
    const account = this.#account(frame.epoch);
    account.confirmed = Math.max(account.confirmed, frame.through);
    this.#onNews();
  }

  #said(frame: Frame): void {
    if (frame.kind !== "keyframe" && frame.kind !== "residual") return;
    const isKeyframe = frame.kind === "keyframe";
    const epoch = isKeyframe ? frame.epoch : matchEpoch(frame.position, this.accounts.keys());
    if (epoch === undefined) return;
    const { sent } = this.#account(epoch);
    const seq = isKeyframe ? frame.seq : expandSeq(frame.position, sent.size);
    if (sent.has(seq)) return;
    sent.set(seq, (isKeyframe ? 0 : frame.quiet) + (frame.samples || FRAME_SAMPLES));
    this.#onNews();
  }

  #withNoise(chunk: Buffer): Buffer {
    if (this.#random.uniform() >= chunk.length / this.#noiseEveryBytes) return chunk;
    this.disturbed += 1;
    const noise = Array.from(
      { length: 1 + (this.#random.uint32() % NOISE_BYTES_MAX) },
      () => this.#random.uint32() & 255,
    );
    return Buffer.concat([Buffer.from(noise), chunk]);
  }
}

function framesOf(deframer: SerialDeframer, chunk: Uint8Array): Frame[] {
  return deframer.push(chunk).flatMap((bytes) => {
    try {
      return [decodeFrame(bytes)];
    } catch (error) {
      if (error instanceof FrameError) return [];
      throw error;
    }
  });
}
