import { AdaptiveCoder } from "./adaptive-coder.ts";
import { CONTEXTS, codeSigned, codeUnsigned } from "./adaptive-integers.ts";
import { innerBound } from "./grid.ts";
import type { Compressor, Peer, SignalShape } from "./peer.ts";

/** Grid steps, in eps; as of the other deadbands. */
const GRIDS = [0.25, 0.5, 1, 1.9999];
/** Whether another event comes in a frame, and how far it is, by how far the last one was: 0, 1, 2–3, 4–7 … */
const GAP_CLASSES = 7;
const MORE_CONTEXTS = 0;
const GAP_CONTEXTS = MORE_CONTEXTS + GAP_CLASSES;
const STEP_CONTEXTS = GAP_CONTEXTS + GAP_CLASSES * CONTEXTS.unsigned;
const ALL_CONTEXTS = STEP_CONTEXTS + GAP_CLASSES * CONTEXTS.signed;

/**
 * The events of a deadband in the same frames as ours: each frame can be decoded when it has come, what was learned stays,
 * and one without events has no bytes. Where a frame ends stands in its envelope, as ours does, which is charged to nobody.
 *
 * @param frameRows  rows of a frame
 */
export function framedEvents(name: string, frameRows: number): Peer {
  return { name, hasLookahead: false, compressors: GRIDS.map((grid) => framedCompressor(grid, frameRows)) };
}

/** One channel, as both ends know it. */
interface Held {
  readonly step: number;
  readonly origin: number;
  readonly bound: number;
  level: number;
  gapClass: number;
  sign: number;
}

function heldChannels({ eps, origins }: SignalShape, gridInEps: number): Held[] {
  return eps.map((each, c) => {
    const bound = innerBound(each);
    return { step: gridInEps * bound, origin: origins[c] ?? 0, bound, level: 0, gapClass: 0, sign: 0 };
  });
}

function framedCompressor(gridInEps: number, frameRows: number): Compressor {
  const lengths = new WeakMap<Uint8Array, readonly number[]>();
  return {
    setting: `grid ${gridInEps} eps`,
    encode(columns, shape) {
      const channels = heldChannels(shape, gridInEps);
      const coder = new AdaptiveCoder(ALL_CONTEXTS);
      const frames: Uint8Array[] = [];
      for (let from = 0; from < shape.rows; from += frameRows) {
        const to = Math.min(shape.rows, from + frameRows);
        const ahead = channels.map((held, c) => nextEvent(held, columns[c], from, to));
        const isQuiet = ahead.every((row) => row === to);
        if (isQuiet) {
          frames.push(new Uint8Array());
          continue;
        }
        for (const [c, held] of channels.entries()) codeFrame(coder, held, { from, to, values: columns[c] });
        const frame = coder.cut();
        // No bytes at all are a quiet frame's
        frames.push(frame.length > 0 ? frame : new Uint8Array(1));
      }
      const bytes = new Uint8Array(Buffer.concat(frames));
      lengths.set(
        bytes,
        frames.map(({ length }) => length),
      );
      return bytes;
    },
    decode(bytes, shape) {
      const channels = heldChannels(shape, gridInEps);
      const coder = new AdaptiveCoder(ALL_CONTEXTS, new Uint8Array());
      const columns = channels.map(() => new Float64Array(shape.rows));
      let at = 0;
      (lengths.get(bytes) ?? []).forEach((length, f) => {
        const from = f * frameRows;
        const to = Math.min(shape.rows, from + frameRows);
        coder.resume(bytes.subarray(at, at + length));
        at += length;
        for (const [c, held] of channels.entries()) {
          const out = (columns[c] ?? new Float64Array()).subarray(from, to);
          if (length === 0) out.fill(heldValue(held));
          else codeFrame(coder, held, { from, to, out });
        }
      });
      return columns;
    },
  };
}

/** A channel's part of a frame: its values when encoding, room for them when decoding. */
interface FramePart {
  readonly from: number;
  readonly to: number;
  readonly values?: Float64Array | undefined;
  readonly out?: Float64Array;
}

function codeFrame(coder: AdaptiveCoder, held: Held, { from, to, values, out }: FramePart): void {
  for (let row = from; row < to; ) {
    const event = values === undefined ? to : nextEvent(held, values, row, to);
    const isEvent = coder.bit(MORE_CONTEXTS + held.gapClass, event < to ? 1 : 0) === 1;
    const gap = isEvent ? codeUnsigned(coder, GAP_CONTEXTS + held.gapClass * CONTEXTS.unsigned, event - row) : to - row;
    out?.fill(heldValue(held), row - from, row + gap - from);
    row += gap;
    if (!isEvent) return;
    held.gapClass = Math.min(31 - Math.clz32(gap + 1), GAP_CLASSES - 1);
    const level = Math.round(((values?.[row] ?? 0) - held.origin) / held.step);
    const step = codeSigned(coder, STEP_CONTEXTS + held.gapClass * CONTEXTS.signed, level - held.level, held.sign);
    held.sign = Math.sign(step);
    held.level += step;
    out?.fill(heldValue(held), row - from, row + 1 - from);
    row += 1;
  }
}

function heldValue({ level, step, origin }: Held): number {
  return origin + level * step;
}

/** The next row whose value is more than the bound away from what is held; `to` if there is none. */
function nextEvent(held: Held, values: Float64Array | undefined, from: number, to: number): number {
  const value = heldValue(held);
  let row = from;
  while (row < to && Math.abs((values?.[row] ?? value) - value) <= held.bound) row += 1;
  return row;
}
