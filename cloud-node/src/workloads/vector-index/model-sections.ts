import {
  BIT_DEPTHS,
  type BitDepth,
  type BitGroup,
  GROUP_DIMS,
  type IndexModel,
  type Metric,
  paddedDimensions,
} from "./model.ts";
import { GROUP_BYTES, MODEL_HEAD_BYTES, type ModelTag } from "./section-table.ts";
import { LARGEST_VALUE } from "./vector-source.ts";

/** Rows of a rotation are of length 1, before they are rounded to halves. */
const LONGEST_ROW = 1.01;

/** Bytes of every section of a model. */
export type ModelSections = Readonly<Record<ModelTag, Uint8Array>>;

/** What a header says of a model. */
export interface ModelShape {
  readonly d: number;
  readonly m: number;
  readonly metric: Metric;
}

/** Rotation and anchors are rounded to half precision: `storedModel` says what of them comes back. */
export function encodeModel(model: IndexModel): ModelSections {
  const { groups, seed, anchorExponent, mean, rotation, anchors, sigma } = model;
  const head = Buffer.alloc(MODEL_HEAD_BYTES + groups.length * GROUP_BYTES);
  head.writeUInt32LE(seed, 0);
  head.writeInt32LE(anchorExponent, 4);
  head.writeUInt32LE(groups.length, 8);
  for (const [i, { bits, to }] of groups.entries()) {
    head.writeUInt32LE(bits, MODEL_HEAD_BYTES + i * GROUP_BYTES);
    head.writeUInt32LE(to, MODEL_HEAD_BYTES + i * GROUP_BYTES + 4);
  }
  const unit = 2 ** -anchorExponent;
  return {
    MODL: head,
    MEAN: bytesOf(mean),
    ROTM: bytesOf(Float16Array.from(rotation)),
    ANCH: bytesOf(Float16Array.from(anchors, (value) => value * unit)),
    SIGM: bytesOf(sigma),
  };
}

/**
 * The model that sections say. Their lengths have been compared with the shape; each begins at a multiple of 16 in its
 * buffer.
 *
 * @returns a sentence on what is wrong, where something is
 */
export function decodeModel({ d, m, metric }: ModelShape, sections: ModelSections): IndexModel | string {
  const head = Buffer.from(sections.MODL.buffer, sections.MODL.byteOffset, sections.MODL.length);
  const paddedD = paddedDimensions(d);
  const groups = decodeGroups(head, paddedD);
  if (typeof groups === "string") return groups;
  const anchorExponent = head.readInt32LE(4);
  if (Math.abs(anchorExponent) > 127) return `anchors are of the order 2^${anchorExponent}`;
  const unit = 2 ** anchorExponent;
  const mean = viewOf(Float32Array, sections.MEAN);
  const rotation = Float32Array.from(viewOf(Float16Array, sections.ROTM));
  const anchors = Float32Array.from(viewOf(Float16Array, sections.ANCH), (value) => value * unit);
  const sigma = viewOf(Float32Array, sections.SIGM);
  // A vector is no longer than `longest`, nor is the mean; anchors and residuals are differences of two or three such.
  const longest = LARGEST_VALUE * Math.sqrt(d);
  for (const [name, values, width, most] of [
    ["mean", mean, d, longest],
    ["rotation", rotation, paddedD, LONGEST_ROW],
    ["anchors", anchors, paddedD, 4 * longest],
    ["sigma", sigma, paddedD, 4 * longest],
  ] as const) {
    const length = longestRow(values, width);
    if (!Number.isFinite(length)) return `${name} has a value that is no finite number`;
    if (length > most) return `${name} is ${length.toExponential(3)} long, more than ${most.toExponential(3)}`;
  }
  if (sigma.some((value) => value <= 0)) return "sigma has a value that is not above 0";
  const seed = head.readUInt32LE(0);
  return { d, paddedD, m, metric, seed, mean, rotation, anchors, anchorExponent, groups, sigma };
}

/** A model as it comes back from a file. */
export function storedModel(model: IndexModel): IndexModel | string {
  return decodeModel(model, encodeModel(model));
}

function decodeGroups(head: Buffer, paddedD: number): BitGroup[] | string {
  const count = head.readUInt32LE(8);
  if (head.length !== MODEL_HEAD_BYTES + count * GROUP_BYTES) return `${count} bit groups do not fill their section`;
  const groups: BitGroup[] = [];
  let from = 0;
  for (let at = MODEL_HEAD_BYTES; at < head.length; at += GROUP_BYTES) {
    const [bits, to] = [head.readUInt32LE(at), head.readUInt32LE(at + 4)];
    if (!isBitDepth(bits)) return `a dimension cannot have ${bits} bits`;
    if (bits > (groups.at(-1)?.bits ?? 8)) return `${bits} bits come after ${groups.at(-1)?.bits}`;
    if (to <= from || to > paddedD || to % GROUP_DIMS !== 0) return `a bit group cannot go from ${from} to ${to}`;
    groups.push({ bits, from, to });
    from = to;
  }
  return from === paddedD ? groups : `bit groups end at dimension ${from} of ${paddedD}`;
}

function isBitDepth(bits: number): bits is BitDepth {
  return BIT_DEPTHS.some((depth) => depth === bits);
}

/** The largest length of rows of `width`, Infinity if it is none. Loops: they are run over every number of a rotation. */
function longestRow(values: Float32Array, width: number): number {
  let longest = 0;
  for (let from = 0; from < values.length; from += width) {
    let sum = 0;
    for (let i = from; i < from + width; i++) sum += (values[i] ?? 0) ** 2;
    if (!Number.isFinite(sum)) return Infinity;
    longest = Math.max(longest, sum);
  }
  return Math.sqrt(longest);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function viewOf<View>(
  kind: { new (buffer: ArrayBufferLike, at: number, length: number): View; readonly BYTES_PER_ELEMENT: number },
  { buffer, byteOffset, length }: Uint8Array,
): View {
  return new kind(buffer, byteOffset, length / kind.BYTES_PER_ELEMENT);
}
