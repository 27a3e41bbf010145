/** What one channel promises, in sample units; a birth's channel is one. */
export interface ChannelSettings {
  /** Largest error, 0 (lossless) … 2^30 − 1. */
  readonly e: number;
  /** Lattice spacing >= 1 that every sample keeps to; 1 claims nothing. */
  readonly lattice: number;
  /** Histories count in bins of D << h; the smallest h <= 25 with range / (D << h) <= 2^7. Beyond 2 they take 32 bits. */
  readonly historyShift: number;
}

/** A checked configuration: a plain copy of the core's block, fit for any number of codecs. */
export interface CodecConfig {
  readonly channels: number;
  readonly bytes: Uint8Array;
  /** The state that a reset gives. */
  readonly coldState: Uint8Array;
  /** What a module of one device keeps of its configuration in globals. */
  readonly globals: readonly number[];
}
