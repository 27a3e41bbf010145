import type { Core, FixedSample, PayloadDecoder, PayloadEncoder } from "@lockstep/edge-sdk/core";
import { STATUS_INVALID } from "./block-codec.ts";
import type { ContainerChannel } from "./container-format.ts";

/** One channel through the codec by itself, a sample at a time, as a small device codes it. */
export class ExpectingChannel {
  readonly #encoder: PayloadEncoder;
  readonly #decoder: PayloadDecoder;
  #hasBase = false;

  /** @throws {CodecError} for a channel that the core refuses */
  constructor(core: Core, channel: ContainerChannel) {
    const config = core.configure([channel]);
    this.#encoder = core.createEncoder(config);
    this.#decoder = core.createDecoder(config);
  }

  /**
   * What both ends expect the next sample to be, in sample units: the reconstruction of a residual that is zero, tried
   * and taken back.
   *
   * @returns undefined before the first reading, which nothing foresees
   */
  get expected(): number | undefined {
    if (!this.#hasBase) return undefined;
    let expected: number | undefined;
    this.#decoder.attempt(() => {
      expected = this.#decoder.replayQuiet(1)[0];
      return false;
    });
    return expected;
  }

  /** Take the sample that came. @throws {CodecError} `off-lattice` where a lattice claim fails */
  take({ sample, status }: FixedSample): void {
    const frame = this.#encoder.encode(Int32Array.of(sample), status === 0 ? undefined : Uint8Array.of(status));
    this.#decoder.decode(frame.payload, 1, frame);
    this.#hasBase ||= status !== STATUS_INVALID;
  }
}
