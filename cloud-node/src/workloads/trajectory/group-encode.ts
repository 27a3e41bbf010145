import { applyMoves, type CodedGroup, type EscapeList, type GroupSource, putValues } from "./group-codec.ts";
import type { TrajectoryCore } from "./trajectory-core.ts";

const NO_GAIN = -1;
const SUB_BITS = [8, 4, 0] as const;
/** Whole numbers as they are: half a step would reach the next one. */
const EXACT_LIMIT = 2 ** 29;
/** More escapes than this part of the values: nothing is gained by coding the rest. */
const MOST_ESCAPES = 1 / 16;
/** Bins of sqrt(3) eps; then narrower ones, until the mean is what was promised. */
const RMS_HALF_STEP = Math.sqrt(3) / 2;
const RMS_NARROWER = 0.97;
const RMS_TRIES = 8;

interface Scale {
  readonly limit: number;
  readonly unit: number;
  readonly subBits: number;
  readonly escapes: number;
  readonly loss: number;
}

/** A source whose values lie in the core's memory. */
interface StagedSource extends GroupSource {
  /** Moved already; frames one after the other, and axes in them. */
  readonly staging: number;
}

/**
 * Code a group, decode it, and compare.
 *
 * The group's plane stays reserved in the core's memory.
 *
 * @param partners  planes that are known when it is decoded: the nearer first; at most two
 * @returns undefined where the values are better kept as they are
 */
export function encodeGroup(
  core: TrajectoryCore,
  source: GroupSource,
  partners: readonly number[],
): CodedGroup | undefined {
  const plane = core.reserve(4 * source.frames * core.calls.strideOf(source.axes, source.atoms));
  const mark = core.mark();
  const coded = encodeStaged(core, { ...source, staging: stageValues(core, source) }, plane, partners);
  core.release(mark);
  return coded;
}

function encodeStaged(
  core: TrajectoryCore,
  source: StagedSource,
  plane: number,
  partners: readonly number[],
): CodedGroup | undefined {
  let halfStep = source.mode === "rms" ? source.eps * RMS_HALF_STEP : source.eps;
  for (let attempt = 0; attempt < RMS_TRIES; attempt++) {
    const scale = chooseScale(core, source, halfStep);
    if (scale === undefined) return undefined;
    const coded = encodeOnce(core, source, scale, plane, partners);
    if (coded === undefined || !(coded.maxError <= source.eps - scale.loss)) return undefined;
    if (source.mode !== "rms" || coded.rmsError < source.eps / 2 - scale.loss) return coded;
    halfStep *= RMS_NARROWER;
  }
  return undefined;
}

/** A group's values in the core's memory, moved as it says: frames one after the other, and axes in them. @returns where */
function stageValues(core: TrajectoryCore, { frames, axes, atoms, elementBytes, values, moves }: GroupSource): number {
  const lineBytes = atoms * elementBytes;
  const staging = core.reserve(frames * axes * lineBytes);
  let at = staging;
  for (let frame = 0; frame < frames; frame++) {
    for (let axis = 0; axis < axes; axis++) {
      putValues(core, values(frame, axis), at);
      applyMoves(core, at, moves?.(frame, axis) ?? []);
      at += lineBytes;
    }
  }
  return staging;
}

/** The finest scale at which every value fits; escapes only where none does. */
function chooseScale(core: TrajectoryCore, source: StagedSource, halfStep: number): Scale | undefined {
  const { elementBytes, mode } = source;
  if (mode === "exact") {
    const { escapes } = scan(core, source, EXACT_LIMIT);
    return escapes > 0 ? undefined : { limit: EXACT_LIMIT, unit: 1, subBits: 0, escapes: 0, loss: 0 };
  }
  if (!(halfStep > source.loss)) return undefined;
  for (const subBits of SUB_BITS) {
    const limit = core.calls.limitOf(halfStep, source.loss, subBits, elementBytes);
    const { escapes, largest } = scan(core, source, limit);
    const loss = source.loss + (source.lossOfLargest ?? 0) * largest;
    if (largest > core.calls.limitOf(halfStep, loss, subBits, elementBytes)) continue;
    const isLast = subBits === SUB_BITS[SUB_BITS.length - 1];
    if (escapes > 0 && !(isLast && escapes <= MOST_ESCAPES * valuesOf(source))) continue;
    const unit = core.calls.unitOf(halfStep, loss, subBits, elementBytes, largest);
    return { limit, unit, subBits, escapes, loss };
  }
  return undefined;
}

function valuesOf({ frames, axes, atoms }: GroupSource): number {
  return frames * axes * atoms;
}

function scan(core: TrajectoryCore, source: StagedSource, limit: number): { escapes: number; largest: number } {
  const mark = core.mark();
  const largest = core.reserve(8);
  core.floats(largest, 1)[0] = 0;
  const escapes = core.calls.scanValues(source.staging, valuesOf(source), source.elementBytes, limit, largest);
  const [most = 0] = core.floats(largest, 1);
  core.release(mark);
  return { escapes, largest: most };
}

function encodeOnce(
  core: TrajectoryCore,
  source: StagedSource,
  scale: Scale,
  plane: number,
  partners: readonly number[],
): CodedGroup | undefined {
  const { frames, axes, atoms } = source;
  const mark = core.mark();
  const escapes = fillPlane(core, source, scale, plane);
  const work = core.reserve(core.calls.workBytes(frames, axes, atoms));
  const out = core.reserve(core.calls.outBytes(frames, axes, atoms));
  const [near = 0, far = 0] = partners;
  const length = core.calls.encodeBlock(frames, axes, atoms, scale.subBits, plane, near, far, work, out);
  if (length === NO_GAIN) {
    core.release(mark);
    return undefined;
  }
  core.checkStatus(length, "encodeBlock");
  const bytes = core.bytes(out, length).slice();
  core.release(mark);
  const errors = verify(core, source, scale, { bytes, plane, partners });
  return errors && { bytes, unit: scale.unit, escapes, plane, ...errors };
}

/** Fixed-point values of the whole group. */
function fillPlane(core: TrajectoryCore, source: StagedSource, scale: Scale, plane: number): EscapeList {
  const { frames, axes, atoms, elementBytes } = source;
  const stride = core.calls.strideOf(axes, atoms);
  const count = axes * atoms;
  for (let frame = 0; frame < frames; frame++) {
    const from = source.staging + frame * count * elementBytes;
    const out = plane + 4 * frame * stride;
    core.integers(out + 4 * count, stride - count).fill(0);
    core.calls.toFixed(from, count, elementBytes, scale.limit, scale.unit, out, frame && out - 4 * stride);
  }
  return escapesOf(core, source, scale);
}

function escapesOf(core: TrajectoryCore, source: StagedSource, { escapes, limit }: Scale): EscapeList {
  const { elementBytes, staging } = source;
  if (escapes === 0) return { indices: new Uint32Array(0), bits: new Uint8Array(0) };
  const mark = core.mark();
  const found = core.reserve(4 * escapes);
  core.calls.escapeValues(staging, valuesOf(source), elementBytes, limit, found);
  const indices = new Uint32Array(core.calls.memory.buffer as ArrayBuffer, found, escapes).slice();
  core.release(mark);
  const bits = new Uint8Array(escapes * elementBytes);
  for (const [i, index] of indices.entries()) {
    bits.set(core.bytes(staging + index * elementBytes, elementBytes), i * elementBytes);
  }
  return { indices, bits };
}

/**
 * Decode what was coded, and compare with the source.
 *
 * @returns undefined where it is not, bit by bit, what the encoder had, which other groups lean on
 */
function verify(
  core: TrajectoryCore,
  source: StagedSource,
  scale: Scale,
  coded: { bytes: Uint8Array; plane: number; partners: readonly number[] },
): { maxError: number; rmsError: number } | undefined {
  const { frames, axes, atoms, elementBytes } = source;
  const mark = core.mark();
  const work = core.reserve(core.calls.workBytes(frames, axes, atoms));
  const at = core.place(coded.bytes);
  const [near = 0, far = 0] = coded.partners;
  const { length } = coded.bytes;
  const status = core.calls.checkBlock(at, length, frames, axes, atoms, coded.plane, near, far, work);
  core.release(mark);
  if (status !== 0) return undefined;
  const sums = core.reserve(16);
  core.floats(sums, 2).fill(0);
  const stride = core.calls.strideOf(axes, atoms);
  const count = axes * atoms;
  for (let frame = 0; frame < frames; frame++) {
    const from = source.staging + frame * count * elementBytes;
    const fixed = coded.plane + 4 * frame * stride;
    core.calls.worstFixedError(from, fixed, count, elementBytes, scale.unit, scale.limit, sums);
  }
  const [maxError = Number.NaN, squares = Number.NaN] = core.floats(sums, 2);
  core.release(mark);
  return { maxError, rmsError: Math.sqrt(squares / Math.max(1, valuesOf(source) - scale.escapes)) };
}
