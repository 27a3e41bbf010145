import { crc32 } from "node:zlib";
import type { AnnealingState } from "./anneal-anchors.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/**
 * A state of annealing in bytes, little endian:
 *
 *   0  "VLCT"   4  u32 version   8  u32 of what is trained   12  u32 iteration   16  u32 last iteration
 *   20 u32 anchor values   24  u32 rows   28 u32 0   32  f64 robust limit
 *   40 i16 anchors, then zeros to a multiple of 4, u32 ids, u32 CRC-32 of all before
 */
const MAGIC = 0x54434c56;
const VERSION = 1;
const HEAD_BYTES = 40;

/** What a checkpoint is of: a number that is another one for other rows, options or seed. */
export function trainingMark(rows: Int16Array, ...options: readonly (string | number | undefined)[]): number {
  const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
  return crc32(bytes, crc32(JSON.stringify(options)));
}

export function packCheckpoint(state: AnnealingState, mark: number): Uint8Array {
  const idsAt = HEAD_BYTES + 4 * Math.ceil(state.anchors.length / 2);
  const bytes = new Uint8Array(idsAt + 4 * state.ids.length + 4);
  const view = new DataView(bytes.buffer);
  const head = [MAGIC, VERSION, mark, state.iteration, state.last, state.anchors.length, state.ids.length];
  for (const [i, word] of head.entries()) view.setUint32(4 * i, word, true);
  view.setFloat64(32, state.robustLimit, true);
  for (const [i, value] of state.anchors.entries()) view.setInt16(HEAD_BYTES + 2 * i, value, true);
  for (const [i, id] of state.ids.entries()) view.setUint32(idsAt + 4 * i, id, true);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true);
  return bytes;
}

/**
 * @param mark  of what is to be trained
 * @throws {VectorIndexError} `bad-checkpoint` for bytes that are damaged, or of another training
 */
export function unpackCheckpoint(bytes: Uint8Array, mark: number): AnnealingState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (i: number) => view.getUint32(4 * i, true);
  if (bytes.length < HEAD_BYTES + 4 || word(0) !== MAGIC) throw refused("it is no checkpoint of training");
  if (word(1) !== VERSION) throw refused(`its version is ${word(1)}, and this program reads ${VERSION}`);
  const idsAt = HEAD_BYTES + 4 * Math.ceil(word(5) / 2);
  const want = idsAt + 4 * word(6) + 4;
  if (bytes.length !== want) throw refused(`${bytes.length} bytes where its counts ask for ${want}`);
  if (view.getUint32(want - 4, true) !== crc32(bytes.subarray(0, -4))) throw refused("its checksum is wrong");
  if (word(2) !== mark) throw refused("it was made of other rows, or with other options");
  return {
    iteration: word(3),
    anchors: Int16Array.from({ length: word(5) }, (_, i) => view.getInt16(HEAD_BYTES + 2 * i, true)),
    ids: Uint32Array.from({ length: word(6) }, (_, i) => view.getUint32(idsAt + 4 * i, true)),
    robustLimit: view.getFloat64(32, true),
    last: word(4),
  };
}

function refused(problem: string): VectorIndexError {
  return new VectorIndexError("bad-checkpoint", problem, "delete it, and training starts anew");
}
