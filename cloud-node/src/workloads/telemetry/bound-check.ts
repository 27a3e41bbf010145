import type { ContainerChannel, ContainerHeader } from "./container-format.ts";
import { TelemetryError } from "./telemetry-error.ts";
import { formatSample } from "./value-text.ts";

/** Compares what a decoder gives back with what was read, value by value, as the files hold them. */
export class BoundCheck {
  readonly #channels: readonly ContainerChannel[];
  readonly #isText: boolean;
  #samples = 0;
  #maxErrorOverEps = 0;

  constructor(header: ContainerHeader) {
    this.#channels = header.channels;
    this.#isText = header.source === "csv";
  }

  /** Largest |original − decoded| over eps so far; an error of 0 counts as 0 also where eps is 0. */
  get maxErrorOverEps(): number {
    return this.#maxErrorOverEps;
  }

  /**
   * Compare the next rows.
   *
   * @param original  shape (rows, channels); NaN: no reading
   * @param decoded  the same shape
   * @throws {TelemetryError} `outside-bound`
   */
  compare(original: Float64Array, decoded: Float64Array): void {
    const width = this.#channels.length;
    for (let at = 0; at < original.length; at++) {
      const channel = this.#channels[at % width];
      if (channel === undefined) continue;
      const wanted = original[at] ?? Number.NaN;
      const value = this.#asWritten(decoded[at] ?? Number.NaN, channel);
      const error = Number.isNaN(wanted) && Number.isNaN(value) ? 0 : Math.abs(wanted - value);
      if (!(error <= channel.eps)) {
        const sample = this.#samples + Math.floor(at / width);
        throw new TelemetryError("outside-bound", { channel: channel.name, sample, error, eps: channel.eps });
      }
      if (error > 0) this.#maxErrorOverEps = Math.max(this.#maxErrorOverEps, error / channel.eps);
    }
    this.#samples += original.length / width;
  }

  /** The number that a reader of the decoded file sees. */
  #asWritten(value: number, channel: ContainerChannel): number {
    if (Number.isNaN(value)) return value;
    return this.#isText ? Number(formatSample(value, channel)) : Math.fround(value);
  }
}
