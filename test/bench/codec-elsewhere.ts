/** Figures that were measured elsewhere on the very recordings that are named, not in this run. */
export interface ElsewhereFigures {
  /** Rows of the recording; another one of the same name is not meant. */
  readonly samples: number;
  /** Bits per channel-sample in the order of `ELSEWHERE_PEERS`, by relative bound. */
  readonly bits: Readonly<Record<number, readonly number[]>>;
}

/**
 * SZ3: the best of three algorithms and of one or two dimensions; LFZip: normalised LMS of order 32 over all channels, and
 * order 0, both with its BSC stage; zfp: accuracy mode in one dimension. All see the whole file. They are counted as
 * peers without lookahead, although SZ3's interpolation and BSC's block sort look ahead too, because that makes the
 * comparison harder for us.
 *
 * @see Liang et al. 2023, "SZ3"; Chandak et al. 2020, "LFZip"; Lindstrom 2014, "Fixed-rate compressed floating-point arrays"
 */
export const ELSEWHERE_PEERS = ["SZ3", "LFZip 32", "LFZip 0", "zfp"] as const;

/** Whole file, strict bound, desktop builds of the public sources, run while this codec was designed. */
export const ELSEWHERE: Readonly<Record<string, ElsewhereFigures>> = {
  imu_handheld: {
    samples: 13_514,
    bits: { 0.1: [0.17, 0.162, 0.117, 2.68], 0.01: [0.889, 0.854, 1.31, 4.96], 0.001: [3.446, 2.897, 4.04, 8.51] },
  },
  bearing_ir7: {
    samples: 60_000,
    bits: { 0.1: [1.32, 0.986, 1.11, 6.27], 0.01: [4.7, 3.397, 4.33, 9.95], 0.001: [8.62, 6.7, 7.87, 13.3] },
  },
  gas_mox8: {
    samples: 60_000,
    bits: { 0.1: [0.026, 0.026, 0.02, 6.86], 0.01: [0.131, 0.101, 0.098, 8.58], 0.001: [0.543, 0.409, 0.427, 10.6] },
  },
  power_home: {
    samples: 200_000,
    bits: { 0.1: [0.342, 0.477, 0.268, 5.1], 0.01: [1.4, 1.99, 1.198, 7.42], 0.001: [3.67, 4.74, 3.288, 10.1] },
  },
  machine_temp: {
    samples: 22_695,
    bits: { 0.1: [0.205, 0.259, 0.255, 6.28], 0.01: [1.49, 1.409, 1.41, 9.15], 0.001: [4.89, 4.6, 4.89, 13.2] },
  },
  ecg_mitbih100: {
    samples: 200_000,
    bits: { 0.1: [0.188, 0.32, 0.137, 5.27], 0.01: [1.29, 1.246, 1.011, 7.95], 0.001: [4.25, 3.8, 3.71, 11.0] },
  },
};

/**
 * Mix-Piece with its own coding and zstd, over the bits of the prototype of this codec without lookahead, geometric mean
 * of 30 cells (ten recordings, the six above among them).
 *
 * @see Kitsios et al. 2024, "Flexible grouping of linear segments for highly accurate lossy compression of time series"
 */
export const MIX_PIECE_OVER_PROTOTYPE = 2.57;

/** Bits per channel-sample of that prototype, one frame per file, by recording and bound. */
const PROTOTYPE: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  imu_handheld: { 0.1: 0.0447, 0.01: 0.497, 0.001: 2.285 },
  bearing_ir7: { 0.1: 0.769, 0.01: 3.16, 0.001: 6.439 },
  gas_mox8: { 0.1: 0.0079, 0.01: 0.066, 0.001: 0.318 },
  power_home: { 0.1: 0.2, 0.01: 1.352, 0.001: 3.409 },
  machine_temp: { 0.1: 0.074, 0.01: 1.201, 0.001: 4.194 },
  ecg_mitbih100: { 0.1: 0.148, 0.01: 1.088, 0.001: 3.602 },
};

/**
 * Peers that some goals were set with before this bench had its own: the same byte compressors with one byte layout, and a
 * cost model of Sprintz (delta or FIRE, packing by 8, entropy of its bytes) in place of an implementation. Bits per
 * channel-sample of the whole file, by recording and bound, in the order of `DESIGN_PEERS`.
 */
export const DESIGN_PEERS = ["zstd", "gzip", "sprintz model"] as const;

const DESIGN: Readonly<Record<string, Readonly<Record<number, readonly number[]>>>> = {
  imu_handheld: { 0.1: [0.091, 0.098, 0.083], 0.01: [0.777, 0.881, 0.894], 0.001: [2.835, 3.13, 2.97] },
  bearing_ir7: { 0.1: [1.23, 1.38, 1.71], 0.01: [4.59, 4.96, 4.96], 0.001: [7.92, 7.97, 8.31] },
  gas_mox8: { 0.1: [0.033, 0.03, 0.027], 0.01: [0.138, 0.126, 0.14], 0.001: [0.491, 0.546, 0.551] },
  power_home: { 0.1: [0.347, 0.378, 0.597], 0.01: [1.358, 1.52, 2.01], 0.001: [3.368, 3.62, 3.88] },
  machine_temp: { 0.1: [0.269, 0.274, 0.338], 0.01: [1.457, 1.62, 1.66], 0.001: [4.42, 4.85, 4.77] },
  ecg_mitbih100: { 0.1: [0.268, 0.3, 0.432], 0.01: [1.115, 1.25, 1.44], 0.001: [3.97, 4.29, 4.18] },
};

/** The bits of one of `DESIGN_PEERS` in a cell; not a number where nothing was measured. */
export function designBits(cell: CellName, peer: (typeof DESIGN_PEERS)[number]): number {
  const isSame = ELSEWHERE[cell.set]?.samples === cell.samples;
  return (isSame ? DESIGN[cell.set]?.[cell.rel]?.[DESIGN_PEERS.indexOf(peer)] : undefined) ?? Number.NaN;
}

/** The prototype's bits in a cell; not a number where nothing was measured. */
export function prototypeBits(cell: CellName): number {
  const isSame = ELSEWHERE[cell.set]?.samples === cell.samples;
  return (isSame ? PROTOTYPE[cell.set]?.[cell.rel] : undefined) ?? Number.NaN;
}

/** The best of all peers measured elsewhere, those included; not a number where nothing was measured. */
export function bestElsewhere(cell: CellName): number {
  return Math.min(...Object.values(elsewhereOf(cell)), ...DESIGN_PEERS.map((peer) => designBits(cell, peer)));
}

/** Which cell is meant. */
interface CellName {
  readonly set: string;
  readonly rel: number;
  readonly samples: number;
}

/** The figures for a cell by peer; none where nothing was measured. */
export function elsewhereOf(cell: CellName): Record<string, number> {
  const figures = ELSEWHERE[cell.set];
  const bits = figures?.samples === cell.samples ? figures.bits[cell.rel] : undefined;
  return Object.fromEntries((bits ?? []).map((value, i) => [ELSEWHERE_PEERS[i] ?? "", value]));
}
