import { deflateRawSync } from "node:zlib";
import { Decoder, Encoder } from "cbor-x";
import * as v from "valibot";
import { inflate } from "./exact-bytes.ts";
import { TrajectoryError } from "./trajectory-error.ts";

/**
 * What a chunk says of itself, as CBOR, deflated: docs/trajectory-format.md has the table. Lists of numbers that may
 * be long are varints in byte strings.
 */
const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** As long as a dump has it: what bounds it is the head as a whole. */
const name = v.pipe(v.string(), v.minLength(1));
const byteString = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
/** A timestep: an int64. */
const stepSchema = v.union([v.pipe(v.number(), v.safeInteger()), v.bigint()]);

const groupSchema = v.strictObject({
  columns: v.pipe(v.array(name), v.minLength(1), v.maxLength(3)),
  axes: v.pipe(v.array(v.pipe(natural, v.maxValue(2))), v.maxLength(3)),
  mode: v.picklist(["max", "rms", "exact"]),
  eps: v.pipe(v.number(), v.finite(), v.minValue(0)),
  decimals: v.pipe(natural, v.maxValue(17)),
  period: v.picklist(["box", "unit", "none"]),
});

const blockSchema = v.strictObject({
  // `codes`: a block of the core; `bytes`: values as they are.
  coding: v.picklist(["codes", "bytes"]),
  // Of the chunk; or 1 where every frame has the values of the first.
  frames: v.pipe(natural, v.minValue(1)),
  bytes: natural,
  crc: v.pipe(natural, v.maxValue(0xffff_ffff)),
  unit: v.pipe(v.number(), v.finite(), v.minValue(0)),
  // Groups that it is predicted from.
  partners: v.pipe(v.array(natural), v.maxLength(2)),
  // Gaps between indices of escapes, as varints, and their elements.
  escapes: byteString,
  escapeBits: byteString,
  // Turns through the box, as varints; empty where there are none.
  turns: byteString,
  // Per frame whether its columns are whole numbers (`i`), reals (`r`) or words (`t`); one letter where all agree.
  kinds: v.pipe(v.string(), v.regex(/^[irt]+$/)),
  // Of a column of words.
  words: v.array(v.string()),
});

const boxSchema = v.strictObject({
  // First frame of the chunk that has it.
  from: natural,
  shape: v.picklist(["orthogonal", "triclinic", "general"]),
  boundary: v.nullable(v.pipe(v.array(v.pipe(v.string(), v.maxLength(2))), v.length(3))),
  bounds: v.pipe(v.array(v.number()), v.minLength(6), v.maxLength(12)),
});

const headSchema = v.strictObject({
  atoms: natural,
  // In the order of the dump, `id` among them.
  columns: v.array(name),
  groups: v.array(groupSchema),
  blocks: v.array(blockSchema),
  // As varints: the gaps between rising ids; or, of rows that are kept as they came, the ids of every frame.
  ids: byteString,
  idOrder: v.picklist(["rising", "rows", "none"]),
  // Rows of the dump, where they are kept: for each frame varints of changes; empty for a frame in rising order.
  rows: v.array(byteString),
  steps: v.array(stepSchema),
  times: v.array(v.nullable(v.number())),
  units: v.nullable(v.string()),
  boxes: v.array(boxSchema),
});

/** See the schema above. */
export type ChunkHead = v.InferOutput<typeof headSchema>;
export type ChunkBlock = v.InferOutput<typeof blockSchema>;
export type ChunkBox = v.InferOutput<typeof boxSchema>;

/** A head is at most this when inflated: 2^27 bytes are ids of some tens of millions of atoms. */
const MAX_HEAD_BYTES = 1 << 27;
const OPTIONS = { useRecords: false, mapsAsObjects: true, tagUint8Array: false } as const;

/**
 * A head as bytes.
 *
 * @throws {TrajectoryError} `bad-frame`, `too-large` for one that `decodeHead` would refuse: it is never written
 */
export function encodeHead(head: ChunkHead): Uint8Array<ArrayBuffer> {
  const checked = checkHead(head);
  if (typeof checked === "string") {
    throw new TrajectoryError("bad-frame", `a frame cannot be packed: ${checked}`, "mend the frame");
  }
  const cbor = new Encoder(OPTIONS).encode(head);
  if (cbor.length > MAX_HEAD_BYTES) {
    const problem = `ids, words and names of a chunk are ${cbor.length} bytes, ${MAX_HEAD_BYTES} are the limit`;
    throw new TrajectoryError("too-large", problem, "pack fewer frames in a chunk, or without columns of words");
  }
  return new Uint8Array(deflateRawSync(cbor, { level: 9 }));
}

/**
 * Read and check a head.
 *
 * @returns one line that says what is wrong where it is none
 */
export function decodeHead(bytes: Uint8Array): ChunkHead | string {
  const cbor = inflate(bytes, MAX_HEAD_BYTES);
  if (cbor === undefined) return "its head does not inflate";
  let parsed: unknown;
  try {
    parsed = new Decoder(OPTIONS).decode(cbor);
  } catch {
    return "its head is not CBOR";
  }
  return checkHead(parsed);
}

function checkHead(head: unknown): ChunkHead | string {
  const result = v.safeParse(headSchema, head);
  if (!result.success) {
    const [issue] = result.issues;
    return `${v.getDotPath(issue) ?? "head"}: ${issue.message}`;
  }
  return problemOf(result.output) ?? result.output;
}

function problemOf(head: ChunkHead): string | undefined {
  const frames = head.steps.length;
  if (frames === 0 || head.times.length !== frames) return "steps and times do not agree";
  if (head.boxes[0]?.from !== 0) return "its first frame has no box";
  if (head.boxes.some(({ from }, i) => from >= frames || from < i)) return "a box is out of place";
  if (head.blocks.length !== head.groups.length) return "blocks and groups do not agree";
  const named = new Set(head.columns);
  if (named.size !== head.columns.length) return "a column is named twice";
  const grouped = head.groups.flatMap(({ columns }) => columns);
  const expected = head.columns.filter((column) => column !== "id");
  if (grouped.length !== expected.length || !grouped.every((column) => expected.includes(column))) {
    return "its groups are not its columns";
  }
  if (new Set(grouped).size !== grouped.length) return "a column is in two groups";
  if (head.columns.includes("id") === (head.idOrder === "none")) return "ids and columns do not agree";
  if (head.rows.length !== 0 && head.rows.length !== frames) return "rows and frames do not agree";
  for (const [i, { partners, kinds, turns, frames: own }] of head.blocks.entries()) {
    if (own !== frames && (own !== 1 || turns.length > 0)) return "a block's frames are not the chunk's";
    if (partners.some((partner) => partner >= i)) return "a block leans on one that comes later";
    if (kinds.length !== 1 && kinds.length !== frames) return "kinds and frames do not agree";
  }
  return undefined;
}
