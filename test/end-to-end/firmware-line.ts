import { Duplex } from "node:stream";
import { LineAccount, NoiseSource, type SeededRandom } from "@lockstep/sim";
import { type Firmware, type FirmwarePort, openPort } from "qemu-wasm-runner";

const NOISE_BYTES_MAX = 40;

/**
 * Firmware under QEMU on a noisy serial line. Whenever the line is opened the firmware is started; it is killed without
 * a word. Everything that passes is written down before it goes on.
 */
export class FirmwareLine {
  readonly account = new LineAccount();
  starts = 0;
  readonly #firmware: Firmware;
  readonly #extraArgs: readonly string[];
  readonly #noise: NoiseSource;
  #port: FirmwarePort | undefined;
  #onStart: () => void = () => {};

  /** @param noiseEveryBytes  noise comes once in so many bytes that pass, in either direction */
  constructor(firmware: Firmware, extraArgs: readonly string[], random: SeededRandom, noiseEveryBytes: number) {
    this.#firmware = firmware;
    this.#extraArgs = extraArgs;
    this.#noise = new NoiseSource({ everyBytes: noiseEveryBytes, mostBytes: NOISE_BYTES_MAX }, random);
  }

  /** Pieces of noise so far. */
  get disturbed(): number {
    return this.#noise.disturbed;
  }

  /** Start the firmware, and give its line to the cloud. */
  async open(): Promise<Duplex> {
    const port = await openPort(this.#firmware, { extraArgs: this.#extraArgs });
    this.#port = port;
    this.starts += 1;
    this.#onStart();
    const line = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        this.account.heard(chunk);
        port.write(this.#noise.spoil(chunk));
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
      this.account.said(chunk);
      if (!line.destroyed) line.push(this.#noise.spoil(chunk));
    });
    return line;
  }

  /** Wait until what has passed on the line is enough, or the firmware was started often enough. */
  until(isEnough: () => boolean): Promise<void> {
    return Promise.race([
      this.account.until(isEnough),
      new Promise<void>((resolve) => {
        this.#onStart = () => {
          if (isEnough()) resolve();
        };
      }),
    ]);
  }

  /** End QEMU as a power failure would. */
  kill(): void {
    const pid = this.#port?.port?.link.pid;
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }
}
