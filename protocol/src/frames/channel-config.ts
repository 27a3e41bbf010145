import type { CborReader } from "../cbor-reader.ts";
import type { CborWriter } from "../cbor-writer.ts";
import { FrameError } from "../errors.ts";
import { field, i53, u53 } from "../field.ts";

/** One channel of a birth: how its int32 codec values are encoded and what they mean. */
export interface ChannelConfig {
  /** 1 … 32 bytes, unique within the birth. */
  readonly name: string;
  /** 0 … 16 bytes. */
  readonly unit: string;
  /** 0 … 2³⁰−1: the codec's bound, in codec units. */
  readonly e: number;
  /** u32 ≥ 1: the codec's lattice. */
  readonly lattice: number;
  /** 0 … 14. */
  readonly historyShift: number;
  /** ±(2⁵³−1), in codec units. */
  readonly offset: number;
  /** 1 … 2³¹−1: with `exponent`, the size of one codec unit in the channel's unit. */
  readonly mantissa: number;
  /** −200 … 200 */
  readonly exponent: number;
  /** u53: with `epsExponent`, the bound promised to the user, in the channel's unit. 0: lossless. */
  readonly epsMantissa: number;
  /** −1100 … 971 */
  readonly epsExponent: number;
}

const ELEMENTS = field("channel", 0, 0xffff_ffff);
const ELEMENT_COUNT = 10;
const NAME = field("channel name", 1, 32);
const UNIT = field("unit", 0, 16);
const E = field("e", 0, 2 ** 30 - 1);
const LATTICE = field("lattice", 1, 0xffff_ffff);
const HISTORY_SHIFT = field("history shift", 0, 25);
const OFFSET = i53("offset");
const MANTISSA = field("mantissa", 1, 2 ** 31 - 1);
const EXPONENT = field("exponent", -200, 200);
const EPS_MANTISSA = u53("eps mantissa");
/** With a 53-bit mantissa 971 reaches the largest float64, and no more. */
const EPS_EXPONENT = field("eps exponent", -1100, 971);

/** Write one channel of a birth. @throws {FrameError} `out-of-range` */
export function writeChannelConfig(writer: CborWriter, channel: ChannelConfig): void {
  writer.array(ELEMENT_COUNT, ELEMENTS);
  writer.text(channel.name, NAME);
  writer.text(channel.unit, UNIT);
  writer.int(channel.e, E);
  writer.int(channel.lattice, LATTICE);
  writer.int(channel.historyShift, HISTORY_SHIFT);
  writer.int(channel.offset, OFFSET);
  writer.int(channel.mantissa, MANTISSA);
  writer.int(channel.exponent, EXPONENT);
  writer.int(channel.epsMantissa, EPS_MANTISSA);
  writer.int(channel.epsExponent, EPS_EXPONENT);
}

/** Mirrors {@link writeChannelConfig}. @throws {FrameError} as the reader's items; `wrong-shape` for other counts */
export function readChannelConfig(reader: CborReader): ChannelConfig {
  const offset = reader.offset;
  const elements = reader.array(ELEMENTS);
  if (elements !== ELEMENT_COUNT) {
    throw new FrameError("wrong-shape", { offset, field: ELEMENTS.name, need: ELEMENT_COUNT, have: elements });
  }
  return {
    name: reader.text(NAME),
    unit: reader.text(UNIT),
    e: reader.uint(E),
    lattice: reader.uint(LATTICE),
    historyShift: reader.uint(HISTORY_SHIFT),
    offset: reader.int(OFFSET),
    mantissa: reader.uint(MANTISSA),
    exponent: reader.int(EXPONENT),
    epsMantissa: reader.uint(EPS_MANTISSA),
    epsExponent: reader.int(EPS_EXPONENT),
  };
}
