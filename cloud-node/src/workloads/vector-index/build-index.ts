import { InvariantError } from "../../invariant-error.ts";
import type { BuildProgress } from "./build-progress.ts";
import type { ShardEncoder } from "./build-shards.ts";
import { whileChanging } from "./change-lock.ts";
import { encodeSegment } from "./encode-segment.ts";
import type { CodingError, IndexFacts } from "./index-facts.ts";
import { IndexFile } from "./index-file.ts";
import { IndexWriter } from "./index-writer.ts";
import { encodeModel, storedModel } from "./model-sections.ts";
import { ResidualCoder } from "./residual-coder.ts";
import type { RerankKind } from "./search-segment.ts";
import { MODEL_TAGS } from "./section-table.ts";
import { type TrainedModel, trainModel } from "./train-model.ts";
import type { TrainOptions } from "./train-options.ts";
import { unitSource } from "./unit-source.ts";
import type { VectorSource } from "./vector-source.ts";

export interface BuildOptions extends Omit<TrainOptions, "progress"> {
  /** Keep the vectors themselves, too, so that a search can rank its best again by them. */
  readonly rerank?: RerankKind | undefined;
  readonly progress?: ((progress: BuildProgress) => void) | undefined;
  /** Milliseconds of any clock, for `seconds` of the report. */
  readonly nowMs?: (() => number) | undefined;
  /** What of codes, and of finer rows, is held at a time; 256 MB unless given. */
  readonly windowBytes?: number | undefined;
  /** @internal Other workers that encode, too: what is written is the same. */
  readonly shards?: ShardEncoder | undefined;
}

export interface BuildReport {
  readonly facts: IndexFacts;
  readonly error: CodingError | undefined;
  /** Lists that were asked for: more than `facts` has where there are not so many different rows. */
  readonly wantedLists: number;
  /** Without a clock all of them 0. */
  readonly seconds: { readonly train: number; readonly encode: number };
}

/**
 * Build an index of vectors: train, encode, write. Memory is O(m d + n), and a bounded block; the source is read a few
 * times, front to back. The index is at `path` once it is whole, and whatever was there before stays until then.
 *
 * @throws {VectorIndexError} what reading and training throw; `busy` while another process writes there, `no-regular-file`;
 *   whatever aborts the signal, and what the system says
 */
export async function buildIndex(given: VectorSource, path: string, options: BuildOptions): Promise<BuildReport> {
  return await whileChanging(path, () => build(given, path, options));
}

async function build(given: VectorSource, path: string, options: BuildOptions): Promise<BuildReport> {
  const { metric, signal, nowMs = () => 0 } = options;
  const source = metric === "cosine" ? unitSource(given) : given;
  // First of all: where nothing can be written it is said before the work.
  const writer = await IndexWriter.create(path);
  try {
    const startMs = nowMs();
    const trained = await trainModel(source, options);
    const trainedMs = nowMs();
    signal?.throwIfAborted();
    await writeTrained(writer, source, trained, options);
    const seconds = { train: (trainedMs - startMs) / 1000, encode: (nowMs() - trainedMs) / 1000 };
    return { ...(await describe(path)), wantedLists: trained.wantedAnchors, seconds };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

async function writeTrained(
  writer: IndexWriter,
  source: VectorSource,
  { model: exact, lists }: TrainedModel,
  { rerank, signal, progress, windowBytes, shards }: BuildOptions,
): Promise<void> {
  // Codes are made for what the file will say, not for what was trained.
  const model = storedModel(exact);
  if (typeof model === "string") throw new InvariantError(`a model was trained that cannot be stored: ${model}`);
  const sections = encodeModel(model);
  for (const tag of MODEL_TAGS) await writer.put(tag, 0, sections[tag]);
  const coder = new ResidualCoder(model);
  await encodeSegment(
    writer,
    { source, lists, model, coder, rerank, signal },
    { segment: 1, firstId: 0, windowBytes, shards },
    progress,
  );
  const { n, d } = source;
  const { m, metric } = model;
  await writer.finish({ rows: n, deleted: 0, nextId: n, d, m, metric, codeBytes: coder.codeBytes, rerank });
}

async function describe(path: string): Promise<{ facts: IndexFacts; error: CodingError | undefined }> {
  const file = await IndexFile.open(path);
  try {
    return { facts: file.facts, error: await file.codingError() };
  } finally {
    await file.close();
  }
}
