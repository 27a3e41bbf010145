/**
 * What both ends of a peer are told for free, as both ends of ours are: the shape, the bounds, where each channel's
 * grid begins, and from where its values range.
 */
export interface SignalShape {
  readonly rows: number;
  /** Largest error per channel, > 0. */
  readonly eps: readonly number[];
  /** Per channel, see {@link gridOrigin}. */
  readonly origins: readonly number[];
  /** The smallest value of each channel. */
  readonly least: readonly number[];
}

/** One compressor at one setting; encode and decode mirror each other. */
export interface Compressor {
  readonly setting: string;
  /** @param columns  one array of `shape.rows` values per channel */
  encode(columns: readonly Float64Array[], shape: SignalShape): Uint8Array;
  /** @returns one array of `shape.rows` values per channel, each within eps of what was encoded */
  decode(bytes: Uint8Array, shape: SignalShape): Float64Array[];
}

/** A compressor that ours is measured against, with every setting it may choose from per recording. */
export interface Peer {
  readonly name: string;
  /**
   * Whether a sample's code depends on later samples by more than a block of 8, or tells in advance, by more than a frame,
   * how long a value will hold. What a compressor of bytes does with the codes does not count.
   */
  readonly hasLookahead: boolean;
  readonly compressors: readonly Compressor[];
}

/** The smallest encoding among a peer's settings, decoded again. */
export interface PeerResult {
  readonly bitsPerSample: number;
  /** Largest |decoded − original| / eps, in float64 against the float32 originals; above 1 the peer is wrong. */
  readonly maxErrorOverEps: number;
  readonly setting: string;
}

/** Fewest bits to keep below int32 on the finest grid that a peer uses, a quarter of eps. */
const ORIGIN_LIMIT_BINS = 2 ** 27;

/**
 * Where a channel's grid begins: 0, or the smallest value where the bins counted from 0 would not fit an int32.
 *
 * @param eps  > 0
 */
export function gridOrigin({ min, max }: { readonly min: number; readonly max: number }, eps: number): number {
  return Math.max(Math.abs(min), Math.abs(max)) / eps < ORIGIN_LIMIT_BINS ? 0 : min;
}

/** Encode with every setting, and decode the smallest. The choice itself is free for the peer. */
export function measurePeer(peer: Peer, columns: readonly Float64Array[], shape: SignalShape): PeerResult {
  let best: { readonly compressor: Compressor; readonly bytes: Uint8Array } | undefined;
  for (const compressor of peer.compressors) {
    const bytes = compressor.encode(columns, shape);
    if (best === undefined || bytes.length < best.bytes.length) best = { compressor, bytes };
  }
  if (best === undefined) throw new RangeError(`bench: peer ${peer.name} has no setting`);
  const decoded = best.compressor.decode(best.bytes, shape);
  return {
    bitsPerSample: (8 * best.bytes.length) / (shape.rows * columns.length),
    maxErrorOverEps: largestError(columns, decoded, shape.eps),
    setting: best.compressor.setting,
  };
}

/** Infinity where a channel's samples are not all there. */
function largestError(
  originals: readonly Float64Array[],
  decoded: readonly Float64Array[],
  eps: readonly number[],
): number {
  let largest = 0;
  originals.forEach((original, c) => {
    const values = decoded[c] ?? new Float64Array();
    if (values.length !== original.length) largest = Number.POSITIVE_INFINITY;
    const bound = eps[c] ?? 0;
    for (let t = 0; t < values.length; t++) {
      const error = Math.abs((values[t] as number) - (original[t] as number)) / bound;
      if (!(error <= largest)) largest = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    }
  });
  return largest;
}
