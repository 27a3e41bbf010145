import { BitReader, BitWriter } from "./bits.ts";
import { fromBins, gridStep, toBins } from "./grid.ts";
import { huffmanDecode, huffmanEncode } from "./huffman.ts";
import type { Compressor, Peer, SignalShape } from "./peer.ts";
import { createForecast, type ForecastKind } from "./sprintz-forecast.ts";

const BLOCK = 8;
/** The headers of this many blocks stand together, so that they fill whole bytes whatever their width. */
const GROUP = 8;
/** Sample widths, and the bits that say how many bits a block's errors have. */
const WIDTHS = [
  { width: 8, headerBits: 3 },
  { width: 16, headerBits: 4 },
  { width: 32, headerBits: 5 },
] as const;

type Width = (typeof WIDTHS)[number];

/**
 * Sprintz on the values rounded to the grid of 2 eps: forecast errors in blocks of 8 samples, as many bits each as the
 * widest of a column's block needs, runs of zero blocks counted, all bytes Huffman coded. Delta or FIRE, Huffman or not:
 * the better per recording.
 *
 * @see Blalock, Madden, Guttag 2018, "Sprintz: time series compression for the internet of things"
 */
export function sprintz(name: string): Peer {
  const compressors = (["delta", "fire"] as const).flatMap((kind) => [
    sprintzCompressor(kind, true),
    sprintzCompressor(kind, false),
  ]);
  return { name, hasLookahead: false, compressors };
}

function sprintzCompressor(kind: ForecastKind, isHuffman: boolean): Compressor {
  return {
    setting: `${kind}${isHuffman ? ", Huffman" : ""}`,
    encode(columns, { eps, origins }) {
      const bins = columns.map((values, c) => toBins(values, gridStep(eps[c] ?? 0), origins[c] ?? 0));
      const packed = pack(bins, kind);
      return isHuffman ? huffmanEncode(packed) : packed;
    },
    decode(bytes, shape) {
      const packed = isHuffman ? huffmanDecode(bytes) : bytes;
      const bins = unpack(packed, shape, kind);
      return bins.map((column, c) => fromBins(column, gridStep(shape.eps[c] ?? 0), shape.origins[c] ?? 0));
    },
  };
}

/**
 * Pack columns of integers: the width in a byte, each column's smallest value in 32 bits, then groups of blocks. A group
 * is the headers of its blocks and then their errors, column by column; a block of nothing but zeros has, in place of
 * errors, the number of such blocks that follow it.
 */
export function pack(columns: readonly Int32Array[], kind: ForecastKind): Uint8Array {
  const bases = columns.map((column) => column.reduce((low, bin) => Math.min(low, bin), column[0] ?? 0));
  const reach = columns.reduce(
    (most, column, c) => column.reduce((high, bin) => Math.max(high, bin - (bases[c] as number)), most),
    0,
  );
  const index = reach < 2 ** 8 ? 0 : reach < 2 ** 16 ? 1 : 2;
  const { width, headerBits } = WIDTHS[index];
  const errors = columns.map((column, c) => forecastErrors(column, bases[c] as number, width, kind));
  const out = new BitWriter();
  out.write(index, 8);
  for (const base of bases) out.write(base, 32);
  const units = unitsOf(errors, width);
  for (let group = 0; group < units.length; group += GROUP) {
    const some = units.slice(group, group + GROUP);
    for (const { bits } of some) for (const count of bits) out.write(headerOf(count, width), headerBits);
    for (let i = some.length; i < GROUP; i++) for (const _ of columns) out.write(0, headerBits);
    out.align();
    for (const unit of some) writeUnit(out, unit, errors);
  }
  return out.finish();
}

/** The columns that `pack` was given. */
export function unpack(bytes: Uint8Array, { rows, eps }: SignalShape, kind: ForecastKind): Int32Array[] {
  const input = new BitReader(bytes);
  const { width, headerBits } = WIDTHS[input.read(8)] ?? WIDTHS[2];
  const bases = eps.map(() => input.read(32) | 0);
  const blocks = Math.ceil(rows / BLOCK);
  const errors = eps.map(() => new Uint32Array(blocks * BLOCK));
  for (let block = 0; block < blocks; ) {
    const headers = Array.from({ length: GROUP }, () => eps.map(() => countOf(input.read(headerBits), width)));
    input.align();
    for (const bits of headers) {
      if (block < blocks) block += readUnit(input, block, bits, errors);
    }
  }
  return errors.map((column, c) => undoForecast(column.subarray(0, rows), bases[c] as number, width, kind));
}

/** One block with errors, or a run of blocks without. */
interface Unit {
  readonly block: number;
  /** Per column. */
  readonly bits: readonly number[];
  /** Zero blocks after this one. */
  readonly more: number;
}

function unitsOf(errors: readonly Uint32Array[], width: Width["width"]): Unit[] {
  const units: Unit[] = [];
  const blocks = (errors[0]?.length ?? 0) / BLOCK;
  for (let block = 0; block < blocks; block++) {
    const bits = errors.map((column) => {
      let all = 0;
      for (let i = 0; i < BLOCK; i++) all |= column[block * BLOCK + i] as number;
      const count = 32 - Math.clz32(all);
      return count === width - 1 ? width : count;
    });
    const isZero = bits.every((count) => count === 0);
    const last = units.at(-1);
    const isRun = isZero && last?.bits.every((count) => count === 0) === true;
    if (isRun && last !== undefined) units[units.length - 1] = { ...last, more: last.more + 1 };
    else units.push({ block, bits, more: 0 });
  }
  return units;
}

function writeUnit(out: BitWriter, { block, bits, more }: Unit, errors: readonly Uint32Array[]): void {
  if (bits.every((count) => count === 0)) {
    let left = more;
    for (; left >= 128; left >>>= 7) out.write(128 | (left & 127), 8);
    out.write(left, 8);
    return;
  }
  errors.forEach((column, c) => {
    for (let i = 0; i < BLOCK; i++) out.write(column[block * BLOCK + i] as number, bits[c] as number);
  });
}

/** @returns how many blocks the unit stands for */
function readUnit(input: BitReader, block: number, bits: readonly number[], errors: readonly Uint32Array[]): number {
  if (bits.every((count) => count === 0)) {
    let more = 0;
    let shift = 1;
    let byte = input.read(8);
    for (; byte >= 128; byte = input.read(8)) {
      more += (byte & 127) * shift;
      shift *= 128;
    }
    return more + byte * shift + 1;
  }
  errors.forEach((column, c) => {
    for (let i = 0; i < BLOCK; i++) column[block * BLOCK + i] = input.read(bits[c] as number);
  });
  return 1;
}

/** The full width stands where one bit less would, which no block uses. */
function headerOf(count: number, width: number): number {
  return count === width ? width - 1 : count;
}

function countOf(header: number, width: number): number {
  return header === width - 1 ? width : header;
}

/** Zigzag codes of x − forecast, in whole blocks; the last one is filled with zeros. */
function forecastErrors(column: Int32Array, base: number, width: number, kind: ForecastKind): Uint32Array {
  const forecast = createForecast(kind, width);
  const errors = new Uint32Array(Math.ceil(column.length / BLOCK) * BLOCK);
  column.forEach((bin, t) => {
    errors[t] = forecast.encode(bin - base);
  });
  return errors;
}

function undoForecast(errors: Uint32Array, base: number, width: number, kind: ForecastKind): Int32Array {
  const forecast = createForecast(kind, width);
  return Int32Array.from(errors, (error) => forecast.decode(error) + base);
}
