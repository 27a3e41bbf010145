import type { OrderedFrame } from "./atom-order.ts";
import type { Box } from "./box.ts";
import { type ChunkBlock, type ChunkBox, type ChunkHead, encodeHead } from "./chunk-head.ts";
import { type ColumnGroup, familyOf, partnersOf } from "./column-groups.ts";
import { encodeExact } from "./exact-bytes.ts";
import type { Column } from "./frame.ts";
import { type CodedGroup, encodeGroup, type GroupSource } from "./group-codec.ts";
import { encodeTurns, findTurns, moveAlong, type Periods, periodicAxes, periodsOf } from "./periodic-path.ts";
import type { TrajectoryCore } from "./trajectory-core.ts";
import { VarintWriter } from "./varints.ts";

/** A chunk, ready to be written. */
export interface EncodedChunk {
  readonly frames: number;
  /** A head as bytes, and the blocks in their order. */
  readonly head: Uint8Array<ArrayBuffer>;
  readonly blocks: readonly Uint8Array<ArrayBuffer>[];
  /** Largest error of each group in parts of its eps; 0 for exact ones. */
  readonly errors: readonly number[];
}

const FLOAT64_BYTES = 8;
const NOTHING = new Uint8Array(0);
/** Moving along a path rounds some times, by 2^-53 of what is moved each. */
const MOVE_LOSS = 2 ** -50;

interface EncodedBlock {
  readonly block: Omit<ChunkBlock, "crc" | "bytes">;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly plane: number | undefined;
  readonly error: number;
}

/**
 * Code frames that have the same atoms and columns; every block is decoded and compared before it is given.
 *
 * @param frames  1 … the core's `maxFrames`
 * @param keepRows  whether the order of rows is kept where it is not that of rising ids
 */
export function encodeChunk(
  core: TrajectoryCore,
  groups: readonly ColumnGroup[],
  frames: readonly OrderedFrame[],
  keepRows: boolean,
): EncodedChunk {
  core.clear();
  const encoded: EncodedBlock[] = [];
  for (const index of groups.keys()) encoded.push(encodeOne(core, groups, frames, encoded, index));
  const blocks = encoded.map(({ bytes }) => bytes);
  const head = {
    ...headOf(frames, keepRows),
    groups: groups.map((group) => ({ ...group, columns: [...group.columns], axes: [...group.axes] })),
    blocks: encoded.map(({ block, bytes }) => ({ ...block, bytes: bytes.length, crc: core.checksum(bytes) })),
  };
  return { frames: frames.length, head: encodeHead(head), blocks, errors: encoded.map(({ error }) => error) };
}

function encodeOne(
  core: TrajectoryCore,
  groups: readonly ColumnGroup[],
  frames: readonly OrderedFrame[],
  before: readonly EncodedBlock[],
  index: number,
): EncodedBlock {
  const group = groups[index] as ColumnGroup;
  const columns = group.columns.map((name) => frames.map((frame) => frame.columns.get(name) as Column));
  const [first] = columns[0] ?? [];
  if (first?.kind === "text") return encodeWords(core, columns[0] ?? []);
  const kinds = kindsOf(columns);
  const partners = partnersOf(groups, index).filter((partner) => before[partner]?.plane !== undefined);
  const planes = partners.map((partner) => before[partner]?.plane ?? 0);
  const path = group.period === "none" ? undefined : pathOf(group, frames, columns);
  const source = sourceOf(group, frames, columns, path);
  const mark = core.mark();
  const coded = canCode(source) ? encodeGroup(core, source, planes) : undefined;
  if (coded === undefined) {
    core.release(mark);
    return { ...asBytes(columns, kinds), plane: undefined, error: 0 };
  }
  const turns = path?.hasTurns ? path.bytes : NOTHING;
  const block = { ...plain("codes", kinds), ...describe(coded), partners, turns };
  const isPartner = familyOf(group) !== "other";
  if (!isPartner) core.release(mark);
  const error = group.eps > 0 ? coded.maxError / group.eps : 0;
  return { block, bytes: coded.bytes, plane: isPartner ? coded.plane : undefined, error };
}

/** The core takes 1 atom at least, and whole numbers lose -0 on the way. */
function canCode(source: GroupSource): boolean {
  if (source.atoms === 0) return false;
  if (source.mode !== "exact") return true;
  for (let frame = 0; frame < source.frames; frame++) {
    for (let axis = 0; axis < source.axes; axis++) {
      for (const value of source.values(frame, axis))
        if (!Number.isInteger(value) || Object.is(value, -0)) return false;
    }
  }
  return true;
}

function plain(coding: ChunkBlock["coding"], kinds: string): EncodedBlock["block"] {
  return { coding, unit: 0, partners: [], escapes: NOTHING, escapeBits: NOTHING, turns: NOTHING, kinds, words: [] };
}

function describe({ unit, escapes }: CodedGroup): Pick<ChunkBlock, "unit" | "escapes" | "escapeBits"> {
  const gaps = new VarintWriter();
  let next = 0;
  for (const index of escapes.indices) {
    gaps.push(index - next);
    next = index + 1;
  }
  return { unit, escapes: gaps.finish(), escapeBits: escapes.bits };
}

function asBytes(columns: readonly (readonly Column[])[], kinds: string): Pick<EncodedBlock, "block" | "bytes"> {
  const axes = columns.map((line) =>
    line.map((column) => (column.kind === "text" ? NOTHING : new Uint8Array(column.values.slice().buffer))),
  );
  const frames = (axes[0] ?? []).map((_, t) => {
    const parts = axes.map((line) => line[t] ?? NOTHING);
    return new Uint8Array(Buffer.concat(parts));
  });
  return { block: plain("bytes", kinds), bytes: encodeExact(frames, FLOAT64_BYTES) };
}

/** Words by their numbers in one list for the chunk. */
function encodeWords(core: TrajectoryCore, line: readonly Column[]): EncodedBlock {
  const words = new Map<string, number>();
  const values = line.map((column) => {
    if (column.kind !== "text") return new Float64Array(0);
    const numbers = column.words.map((word) => {
      const number = words.get(word) ?? words.size;
      words.set(word, number);
      return number;
    });
    return Float64Array.from(column.codes, (code) => numbers[code] ?? 0);
  });
  const source: GroupSource = {
    frames: line.length,
    axes: 1,
    atoms: values[0]?.length ?? 0,
    elementBytes: FLOAT64_BYTES,
    mode: "exact",
    eps: 0,
    loss: 0,
    values: (frame) => values[frame] ?? new Float64Array(0),
  };
  const mark = core.mark();
  const coded = canCode(source) ? encodeGroup(core, source, []) : undefined;
  core.release(mark);
  const found = { words: [...words.keys()] };
  if (coded !== undefined) {
    return { block: { ...plain("codes", "t"), ...found, unit: 1 }, bytes: coded.bytes, plane: undefined, error: 0 };
  }
  const bytes = encodeExact(
    values.map((frame) => new Uint8Array(frame.buffer)),
    FLOAT64_BYTES,
  );
  return { block: { ...plain("bytes", "t"), ...found }, bytes, plane: undefined, error: 0 };
}

interface CodedPath {
  readonly hasTurns: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Shape (frames)(axes)(atoms). */
  readonly values: (frame: number, axis: number) => Float64Array<ArrayBuffer>;
}

function pathOf(
  { axes, period }: ColumnGroup,
  frames: readonly OrderedFrame[],
  columns: readonly (readonly Column[])[],
): CodedPath | undefined {
  const boxes = frames.map(({ frame }) => frame.box);
  const periods: Periods | undefined = periodsOf(boxes, axes, period === "unit");
  if (periods === undefined) return undefined;
  const path = findTurns((frame, axis) => numbersOf(columns, frame, axis), periods, periodicAxes(boxes, axes));
  return {
    hasTurns: path.turns.some((turns) => turns !== undefined),
    bytes: encodeTurns(path, axes.length),
    values: (frame, axis) => moveAlong(numbersOf(columns, frame, axis), path, periods, frame, axis, 1),
  };
}

function sourceOf(
  group: ColumnGroup,
  frames: readonly OrderedFrame[],
  columns: readonly (readonly Column[])[],
  path: CodedPath | undefined,
): GroupSource {
  const moved = new Map<number, Float64Array<ArrayBuffer>>();
  const axes = columns.length;
  const values = (frame: number, axis: number) => {
    if (path === undefined || !path.hasTurns) return numbersOf(columns, frame, axis);
    const key = frame * axes + axis;
    const known = moved.get(key) ?? path.values(frame, axis);
    moved.set(key, known);
    return known;
  };
  const source = {
    frames: frames.length,
    axes,
    atoms: frames[0]?.frame.atoms ?? 0,
    elementBytes: FLOAT64_BYTES,
    mode: group.mode,
    eps: group.eps,
    values,
  } as const;
  if (group.mode === "exact") return { ...source, loss: 0 };
  const moving = path?.hasTurns ? MOVE_LOSS * largestOf(source) : 0;
  return { ...source, loss: 0.5 * 10 ** -group.decimals + moving };
}

function largestOf({ frames, axes, values }: Pick<GroupSource, "frames" | "axes" | "values">): number {
  let largest = 0;
  for (let frame = 0; frame < frames; frame++) {
    for (let axis = 0; axis < axes; axis++) {
      for (const value of values(frame, axis)) {
        const size = Math.abs(value);
        if (size > largest && size < Number.POSITIVE_INFINITY) largest = size;
      }
    }
  }
  return largest;
}

function numbersOf(columns: readonly (readonly Column[])[], frame: number, axis: number): Float64Array<ArrayBuffer> {
  const column = columns[axis]?.[frame];
  return column === undefined || column.kind === "text" ? new Float64Array(0) : column.values;
}

/** A group's kind by frame: `i` where all its columns are whole numbers. */
function kindsOf(columns: readonly (readonly Column[])[]): string {
  const frames = columns[0]?.length ?? 0;
  const kinds = Array.from({ length: frames }, (_, t) =>
    columns.every((line) => line[t]?.kind === "integer") ? "i" : "r",
  );
  return kinds.every((kind) => kind === kinds[0]) ? (kinds[0] ?? "r") : kinds.join("");
}

function headOf(frames: readonly OrderedFrame[], keepRows: boolean): Omit<ChunkHead, "groups" | "blocks"> {
  const [first] = frames;
  const hasRows = keepRows && frames.some(({ rows }) => rows !== undefined);
  return {
    atoms: first?.frame.atoms ?? 0,
    columns: first?.frame.columns.map(({ name }) => name) ?? [],
    ...idsOf(frames),
    rows: hasRows ? frames.map(({ rows }) => (rows === undefined ? NOTHING : encodeRows(rows))) : [],
    steps: frames.map(({ frame }) => {
      const step = Number(frame.step);
      return Number.isSafeInteger(step) ? step : frame.step;
    }),
    times: frames.map(({ frame }) => frame.time ?? null),
    units: first?.frame.units ?? null,
    boxes: boxesOf(frames.map(({ frame }) => frame.box)),
  };
}

function idsOf(frames: readonly OrderedFrame[]): Pick<ChunkHead, "ids" | "idOrder"> {
  const [first] = frames;
  if (first?.frame.ids === undefined) return { ids: NOTHING, idOrder: "none" };
  const out = new VarintWriter();
  if (first.ids !== undefined) {
    let next = 0;
    for (const id of first.ids) {
      out.push(id - next);
      next = id + 1;
    }
    return { ids: out.finish(), idOrder: "rising" };
  }
  for (const { frame } of frames) for (const id of frame.ids ?? []) out.push(id);
  return { ids: out.finish(), idOrder: "rows" };
}

/** Rows of a dump, as the changes from each to the next. */
function encodeRows(rows: Uint32Array): Uint8Array<ArrayBuffer> {
  const out = new VarintWriter();
  let before = 0;
  for (const row of rows) {
    out.pushSigned(row - before);
    before = row;
  }
  return out.finish();
}

function boxesOf(boxes: readonly Box[]): ChunkBox[] {
  const out: ChunkBox[] = [];
  for (const [from, { shape, boundary, bounds }] of boxes.entries()) {
    const box = { from, shape, boundary: boundary === undefined ? null : [...boundary], bounds: [...bounds] };
    const last = out.at(-1);
    if (last === undefined || !isSameBox(last, box)) out.push(box);
  }
  return out;
}

function isSameBox(a: ChunkBox, b: ChunkBox): boolean {
  const isSame = a.shape === b.shape && String(a.boundary) === String(b.boundary);
  return isSame && a.bounds.every((bound, i) => Object.is(bound, b.bounds[i]));
}
