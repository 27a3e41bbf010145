import { extname } from "node:path";
import { formatCount, formatNumber } from "../../api/number-text.ts";
import { decodeIndex } from "../../workloads/vector-index/decode-index.ts";
import { IndexFile } from "../../workloads/vector-index/index-file.ts";
import { CommandError } from "../command-error.ts";
import { aboutRoom, checkFiles, PartialFile } from "../partial-file.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { interruptible } from "./interruptible.ts";

/** What is written before all rows, and before each of them. */
interface RowForm {
  readonly head: Buffer;
  readonly rowHead: Buffer;
}

/** `lockstep vector-index decode`. */
export async function runDecode(
  surroundings: Surroundings,
  input: string,
  { out, json }: { out: string; json?: boolean },
): Promise<void> {
  await checkFiles(input, out);
  const index = await IndexFile.open(input);
  try {
    const { n, d, nextId } = index.facts;
    const form = rowForm(out, n, d);
    const file = await PartialFile.open(out);
    try {
      await interruptible(surroundings, "vector-index decode", "nothing was written", async (progress, signal) => {
        const places = await placesOf(index);
        await file.handle.write(form.head, 0, form.head.length, 0);
        let done = 0;
        for await (const { ids, rows } of decodeIndex(index)) {
          signal.throwIfAborted();
          await writeRows(file, form, d, ids, rows, places);
          done += ids.length;
          progress.update(done, n);
        }
      });
      await file.keep();
    } catch (error) {
      await file.discard();
      throw aboutRoom(error, out);
    }
    const error = (await index.codingError()) ?? null;
    const result = { index: input, output: out, n, d, isWhole: n === nextId, error };
    const stated =
      error === null
        ? ""
        : `; rms error ${formatNumber(error.rms, "up")}, worst ${formatNumber(error.worst, "up")}, ${(100 * error.relative).toFixed(2)} % of the variance`;
    const gone = n === nextId ? "" : `, the ${formatCount(nextId - n)} that were deleted left out`;
    await writeResult(surroundings, json, result, `${out}: ${formatCount(n)} x ${d}${gone}${stated}`);
  } finally {
    await index.close();
  }
}

/** @throws {CommandError} `usage` */
function rowForm(out: string, n: number, d: number): RowForm {
  const none = Buffer.alloc(0);
  switch (extname(out)) {
    case ".f32":
      return { head: none, rowHead: none };
    case ".fvecs": {
      const rowHead = Buffer.alloc(4);
      rowHead.writeInt32LE(d);
      return { head: none, rowHead };
    }
    case ".npy":
      return { head: npyHead(n, d), rowHead: none };
    default:
      throw new CommandError("usage", `nothing is known of files as ${out}`, "name it *.npy, *.fvecs or *.f32");
  }
}

/** Bytes of a header, so that the numbers begin at a multiple of 64. @see `npy-layout.ts` */
const NPY_HEAD_BYTES = 128;

function npyHead(n: number, d: number): Buffer {
  const words = `{'descr': '<f4', 'fortran_order': False, 'shape': (${n}, ${d}), }`;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${words.padEnd(NPY_HEAD_BYTES - 11)}\n`, "latin1");
  head.writeUInt16LE(NPY_HEAD_BYTES - 10, 8);
  return head;
}

/** Where the row of each id goes: those that are left close up. */
async function placesOf(index: IndexFile): Promise<Uint32Array> {
  const { nextId } = index.facts;
  const { ids } = await index.segment();
  const places = new Uint32Array(nextId);
  for (const id of ids) places[id] = 1;
  let place = 0;
  for (let id = 0; id < nextId; id++) {
    const isThere = places[id] === 1;
    places[id] = place;
    if (isThere) place += 1;
  }
  return places;
}

/** Rows come list by list and go by id: those that follow each other are written together. */
async function writeRows(
  file: PartialFile,
  { head, rowHead }: RowForm,
  d: number,
  ids: Uint32Array,
  rows: Float32Array,
  places: Uint32Array,
): Promise<void> {
  const stride = rowHead.length + 4 * d;
  const order = ids.map((_, i) => i).sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0));
  const bytes = Buffer.alloc(order.length * stride);
  const numbers = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength);
  for (const [i, row] of order.entries()) {
    rowHead.copy(bytes, i * stride);
    numbers.copy(bytes, i * stride + rowHead.length, row * 4 * d, (row + 1) * 4 * d);
  }
  const placeOf = (i: number) => places[ids[order[i] ?? 0] ?? 0] ?? 0;
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && placeOf(to) === placeOf(from) + to - from) to++;
    await file.handle.write(bytes, from * stride, (to - from) * stride, head.length + placeOf(from) * stride);
    from = to;
  }
}
