import type { Readable } from "node:stream";
import { RunnerError } from "./runner-error.ts";

/** Bytes of a stream, taken by count; one taker at a time. */
export class ByteQueue {
  readonly #timeoutMs: number;
  #held: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #wake: () => void = () => {};

  /** @param timeoutMs  longest wait of one `take` for its bytes */
  constructor(stream: Readable, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    stream.on("data", (chunk: Buffer) => {
      this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
      this.#wake();
    });
    stream.on("close", () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  /**
   * The next `count` bytes.
   *
   * @throws {RunnerError} `ended` when the stream ends before them, `timeout`
   */
  async take(count: number): Promise<Buffer> {
    while (this.#held.length < count) {
      if (this.#hasEnded) throw new RunnerError("ended", { need: count, have: this.#held.length });
      await this.#more();
    }
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new RunnerError("timeout", { afterMs: this.#timeoutMs })), this.#timeoutMs);
      this.#wake = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}
