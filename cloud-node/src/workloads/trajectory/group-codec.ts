import { bytesOf } from "./array-bytes.ts";
import type { TrajectoryCore } from "./trajectory-core.ts";

/** How far a decoded value may be from the source: `eps` at most; with `rms` also eps/2 as a mean over a chunk. */
export type BoundMode = "max" | "rms" | "exact";

/** Values of one chunk that are coded together: the axes of a vector, or one scalar. */
export interface GroupSource {
  readonly frames: number;
  readonly axes: number;
  readonly atoms: number;
  /** 4: float32, 8: float64; what comes back has the same type. */
  readonly elementBytes: 4 | 8;
  readonly mode: BoundMode;
  /** > 0; of no meaning to `exact`, which takes whole numbers only. */
  readonly eps: number;
  /** What whoever takes the values back does to them at most, in the unit of eps: rounding to digits, wrapping. */
  readonly loss: number;
  /** The same in parts of the largest value: moving. */
  readonly lossOfLargest?: number;
  /** Shape (atoms), of the element type; good until the next call. */
  values(frame: number, axis: number): Float32Array | Float64Array;
  /** How values are moved before they are coded; not at all unless given. They are float64 then. */
  moves?(frame: number, axis: number): readonly Move[];
}

/** How far the values of an axis are moved: turns · edge. */
export interface Move {
  /** Shape (atoms). */
  readonly turns: Int32Array;
  readonly edge: number;
}

/** A group that was coded, and what is needed to decode it. */
export interface CodedGroup {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly unit: number;
  readonly escapes: EscapeList;
  /** Its reconstructions in the core's memory: a partner for others. */
  readonly plane: number;
  /** Over all values but escapes, as decoded and before `loss`. */
  readonly maxError: number;
  readonly rmsError: number;
}

/** Values that are kept bit for bit: NaN, infinities, what lies out of range. */
export interface EscapeList {
  /** (frame · axes + axis) · atoms + atom, rising. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** Their elements, one after the other. */
  readonly bits: Uint8Array<ArrayBuffer>;
}

/** Copy values into the core's memory. */
export function putValues(core: TrajectoryCore, values: Float32Array | Float64Array, at: number): void {
  bytesOf(values).copy(core.bytes(at, values.byteLength));
}

/** Move values that are in the core's memory. */
export function applyMoves(core: TrajectoryCore, at: number, moves: readonly Move[]): void {
  for (const { turns, edge } of moves) {
    const mark = core.mark();
    const room = core.reserve(turns.byteLength);
    core.integers(room, turns.length).set(turns);
    core.calls.moveAlong(at, room, turns.length, edge);
    core.release(mark);
  }
}

/**
 * Decode a group's block.
 *
 * @param partners  planes of its partners, as in `encodeGroup`
 * @returns its plane, reserved in the core's memory; undefined where the block is damaged
 */
export function decodeGroup(
  core: TrajectoryCore,
  { frames, axes, atoms }: Pick<GroupSource, "frames" | "axes" | "atoms">,
  bytes: Uint8Array,
  partners: readonly number[],
): number | undefined {
  const plane = core.reserve(4 * frames * core.calls.strideOf(axes, atoms));
  const mark = core.mark();
  const work = core.reserve(core.calls.workBytes(frames, axes, atoms));
  const at = core.place(bytes);
  const [near = 0, far = 0] = partners;
  const status = core.calls.decodeBlock(at, bytes.length, frames, axes, atoms, plane, near, far, work);
  core.release(mark);
  return status === 0 ? plane : undefined;
}

/** A group as it was decoded. */
export type DecodedGroup = Pick<CodedGroup, "plane" | "unit" | "escapes">;

/** What `readGroup` needs to know of a group. */
export type GroupShape = Pick<GroupSource, "axes" | "atoms" | "elementBytes">;

/**
 * Values of one axis of one frame out of a decoded plane; escapes are put in.
 *
 * @param out  shape (atoms), of the group's element type; overwritten
 * @param moves  how they are moved then
 * @returns out
 */
export function readGroup<Values extends Float32Array | Float64Array>(
  core: TrajectoryCore,
  group: GroupShape,
  coded: DecodedGroup,
  frame: number,
  axis: number,
  out: Values,
  moves: readonly Move[] = [],
): Values {
  const mark = core.mark();
  const at = core.reserve(out.byteLength);
  unfix(core, group, coded, frame, axis, moves, at);
  bytesOf(out).set(core.bytes(at, out.byteLength));
  core.release(mark);
  return out;
}

function unfix(
  core: TrajectoryCore,
  { axes, atoms, elementBytes }: GroupShape,
  { plane, unit, escapes: { indices, bits } }: DecodedGroup,
  frame: number,
  axis: number,
  moves: readonly Move[],
  out: number,
): void {
  const at = plane + 4 * (frame * core.calls.strideOf(axes, atoms) + axis * atoms);
  core.calls.fromFixed(at, atoms, elementBytes, unit, out);
  const first = (frame * axes + axis) * atoms;
  for (let i = lowerBound(indices, first); i < indices.length && (indices[i] ?? 0) < first + atoms; i++) {
    const place = out + ((indices[i] ?? 0) - first) * elementBytes;
    core.bytes(place, elementBytes).set(bits.subarray(i * elementBytes, (i + 1) * elementBytes));
  }
  applyMoves(core, out, moves);
}

/**
 * Compare what a reader gives with values as they were before they were moved. All of them count, escapes too: bits that
 * are the same have no error.
 *
 * @param back  how a reader moves them back
 */
export function compareMoved(
  core: TrajectoryCore,
  source: GroupSource,
  coded: CodedGroup,
  back: NonNullable<GroupSource["moves"]>,
): { maxError: number; rmsError: number } {
  const { frames, axes, atoms, elementBytes } = source;
  const mark = core.mark();
  const staging = core.reserve(atoms * elementBytes);
  const found = core.reserve(atoms * elementBytes);
  const sums = core.reserve(16);
  core.floats(sums, 2).fill(0);
  for (let frame = 0; frame < frames; frame++) {
    for (let axis = 0; axis < axes; axis++) {
      putValues(core, source.values(frame, axis), staging);
      unfix(core, source, coded, frame, axis, back(frame, axis), found);
      core.calls.worstError(staging, found, atoms, elementBytes, Number.POSITIVE_INFINITY, sums);
    }
  }
  const [maxError = Number.NaN, squares = Number.NaN] = core.floats(sums, 2);
  core.release(mark);
  return { maxError, rmsError: Math.sqrt(squares / Math.max(1, frames * axes * atoms - coded.escapes.indices.length)) };
}

function lowerBound(sorted: Uint32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
