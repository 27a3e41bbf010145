import { assignRows } from "./assign-rows.ts";
import type { BuildProgress } from "./build-progress.ts";
import { whileChanging } from "./change-lock.ts";
import { encodeSegment } from "./encode-segment.ts";
import { IndexFile } from "./index-file.ts";
import { IndexWriter } from "./index-writer.ts";
import { ResidualCoder } from "./residual-coder.ts";
import { isMarked, mark } from "./segment-rows.ts";
import { unitSource } from "./unit-source.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorSource } from "./vector-source.ts";

export interface ChangeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((progress: BuildProgress) => void) | undefined;
}

/** Ids that a file can hold. */
const MOST_IDS = 2 ** 32 - 1;

/**
 * Add vectors to an index, as a segment of their own: anchors stay as they are. Their ids count up from the index's next
 * one, in the order of the source.
 *
 * @throws {VectorIndexError} `bad-shape` for another number of dimensions, `too-large`, `busy`, `changed`; as `IndexFile.open`
 */
export async function addVectors(
  path: string,
  given: VectorSource,
  { signal, progress }: ChangeOptions = {},
): Promise<{ readonly firstId: number; readonly added: number }> {
  return await changing(path, async (file) => {
    const { d, metric, rerank, nextId: firstId, segments } = file.facts;
    if (given.d !== d) {
      const problem = `its vectors have ${given.d} dimensions, and those of ${path} have ${d}`;
      throw new VectorIndexError("bad-shape", problem, "give vectors of the same kind", { file: given.name });
    }
    const { n: added } = given;
    if (firstId + added > MOST_IDS) {
      throw new VectorIndexError("too-large", `there are no ids for ${added} more`, "build it anew", { file: path });
    }
    const source = metric === "cosine" ? unitSource(given) : given;
    const model = await file.model();
    const tell = (done: number) => progress?.({ stage: "assign", done, total: added });
    const lists = await assignRows(source, model, { signal, progress: tell });
    const { sections, fileBytes, ...facts } = file.header;
    await written(await IndexWriter.extend(path, sections, fileBytes, file.state), async (writer) => {
      const plan = { source, lists, model, coder: new ResidualCoder(model), rerank, signal };
      await encodeSegment(writer, plan, { segment: segments.length + 1, firstId }, progress);
      await writer.finish({ ...facts, rows: facts.rows + added, nextId: firstId + added });
    });
    return { firstId, added };
  });
}

/**
 * Mark vectors of an index as deleted: no search finds them any more, and `maintainIndex` takes them out.
 *
 * @param ids  one given twice counts once
 * @throws {VectorIndexError} `no-such-row` for an id that is not there, or not any more: nothing is deleted then; `busy`,
 *   `changed`
 */
export async function deleteVectors(path: string, ids: Uint32Array): Promise<{ readonly deleted: number }> {
  return await changing(path, async (file) => {
    const wanted = new Set(ids);
    const deleted = wanted.size;
    if (deleted === 0) return { deleted };
    const changed = new Map<number, { readonly dead: Uint8Array; readonly marked: number }>();
    for (const [i, { rows, deleted: before }] of file.facts.segments.entries()) {
      const { dead: old } = await file.lists(i + 1);
      const dead = new Uint8Array(Math.ceil(rows / 8));
      if (old !== undefined) dead.set(old);
      let marked = before;
      for (const [row, id] of (await file.ids(i + 1)).entries()) {
        if (isMarked(dead, row) || !wanted.delete(id)) continue;
        mark(dead, row);
        marked++;
      }
      if (marked > before) changed.set(i + 1, { dead, marked });
    }
    const [missing] = wanted;
    if (missing !== undefined) {
      const problem = "there is no vector with this id, or not any more";
      throw new VectorIndexError("no-such-row", problem, "give ids that a search finds", { file: path, row: missing });
    }
    const { sections, fileBytes, ...facts } = file.header;
    const kept = sections.filter(({ tag, segment }) => tag !== "DEAD" || !changed.has(segment));
    await written(await IndexWriter.extend(path, kept, fileBytes, file.state), async (writer) => {
      for (const [segment, { dead, marked }] of changed) await writer.put("DEAD", segment, dead, marked);
      await writer.finish({ ...facts, deleted: facts.deleted + deleted });
    });
    return { deleted };
  });
}

async function changing<Result>(path: string, change: (file: IndexFile) => Promise<Result>): Promise<Result> {
  return await whileChanging(path, async () => {
    const file = await IndexFile.open(path);
    try {
      return await change(file);
    } finally {
      await file.close();
    }
  });
}

async function written(writer: IndexWriter, write: (writer: IndexWriter) => Promise<void>): Promise<void> {
  try {
    await write(writer);
  } catch (error) {
    await writer.discard();
    throw error;
  }
}
