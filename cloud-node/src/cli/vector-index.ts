import { type Command, InvalidArgumentError, Option } from "commander";
import { parseCount, parsePositiveCount, parseSeed, parseSomeThreads } from "./option-values.ts";
import type { Surroundings } from "./surroundings.ts";

/** How vectors are read, as the options say. */
export interface VectorOptions {
  readonly dtype?: "f32" | "f16" | "u8" | "i8" | "i32";
  readonly d?: number;
}

/** What `vector-index build` takes. */
export interface BuildCommandOptions extends VectorOptions {
  readonly emb?: string;
  readonly out: string;
  readonly m?: number;
  readonly codeBytes?: number;
  readonly metric: "l2" | "ip" | "cosine";
  readonly rerank?: "i8" | "f16";
  readonly robust?: RobustOption;
  readonly iterations?: number;
  readonly device: "cpu" | "gpu";
  readonly seed: number;
  readonly log?: string;
  readonly checkpoint?: string;
  readonly json?: boolean;
}

/** What `vector-index query` takes. */
export interface QueryCommandOptions extends VectorOptions {
  readonly k: number;
  readonly probes?: number;
  readonly rerank?: number;
  readonly threads: number;
  readonly out?: string;
  readonly json?: boolean;
}

/** What `vector-index eval` takes. */
export interface EvalCommandOptions extends VectorOptions {
  readonly probes?: readonly number[];
  readonly rerank?: number;
  readonly build?: boolean;
  readonly plot?: string;
  readonly json?: boolean;
}

/** `trimmed=0.05`: which robust mean, and of which share of the rows it is to beware. */
export interface RobustOption {
  readonly kind: "trimmed" | "huber";
  readonly share: number;
}

const FILES_HELP = `
Vectors are .fvecs, .bvecs, .ivecs, .npy (float32, float16, uint8, int8), or rows
with nothing before them, whose ending (.f32 .f16 .u8 .i8) or --dtype says what
they are, and whose name (base.20000x128.f16) or --d how long they are.`;

const BUILD_HELP = `${FILES_HELP}

A vector takes --code-bytes and 4 more; rotation and anchors are kept once. An
index without those it was built of gives them back nearly: see decode.

Ctrl-C leaves nothing behind but the file that --checkpoint names: the same
command goes on from there.

Examples:
  $ lockstep vector-index build base.fvecs --out base.vlc
  $ lockstep vector-index build notes.npy --out notes.vlc --metric cosine --code-bytes 36 --rerank i8
  $ vlc index --emb base.f32 --d 128 --m 512 --out base.vlc`;

const QUERY_HELP = `
One line for each query: its number, and then id:distance of the nearest, by
rising squared distance (for inner products: by rising negated product). Ids are
the row numbers of the vectors as they were given.

Examples:
  $ lockstep vector-index query base.vlc queries.fvecs --k 5
  $ lockstep vector-index query base.vlc queries.npy --probes 32 --rerank 40 --out found.ivecs`;

const EVAL_HELP = `
VECTORS is what the index was built of (and what was added to it, in that order),
QUERIES what to ask: every answer is held against an exact search.
Times are of one thread: queries/s of all queries asked together, p50 and p99 of
queries asked one by one.

Examples:
  $ lockstep vector-index eval base.vlc base.fvecs queries.fvecs
  $ lockstep vector-index eval base.vlc base.fvecs queries.fvecs --probes 4,8,16,32 --plot recall.svg --json`;

/** `lockstep vector-index`: vectors compressed so that they can be searched as they are. */
export function addVectorIndex(program: Command, surroundings: Surroundings): void {
  const index = program
    .command("vector-index")
    .summary("compressed vectors: build, query, eval, info, decode, maintain, add, delete")
    .description("Compress vectors into an index that is searched as it is; also as `vlc index|eval|info`.")
    .addHelpText("after", "\nExample:\n  $ lockstep vector-index build base.fvecs --out base.vlc");
  addBuild(index, surroundings);
  addQuery(index, surroundings);
  addEval(index, surroundings);
  addInfo(index, surroundings);
  addDecode(index, surroundings);
  addChanges(index, surroundings);
}

function addBuild(index: Command, surroundings: Surroundings): void {
  withVectorOptions(index.command("build"))
    .alias("index")
    .summary("vectors into an index")
    .description("Compress a file of vectors into an index.")
    .argument("[VECTORS]", "file of vectors")
    .option("--emb <FILE>", "the same file, as an option")
    .requiredOption("--out <INDEX>", "index to write, usually *.vlc")
    .option("--m <COUNT>", "anchors, and lists (default: 5 times the root of the rows)", parsePositiveCount)
    .option(
      "--code-bytes <N>",
      "bytes of a vector's code (default: half a byte for each dimension, 2 at least)",
      parsePositiveCount,
    )
    .addOption(choice("--metric <NAME>", "what near means", ["l2", "ip", "cosine"]).default("l2"))
    .addOption(choice("--rerank <TYPE>", "also keep each vector in this type, to rank the best again", ["i8", "f16"]))
    .option("--robust <KIND=SHARE>", "anchors that beware of outliers: trimmed=0.05 or huber=0.05", parseRobust)
    .option("--iterations <N>", "steps of annealing at most", parsePositiveCount)
    .addOption(choice("--device <NAME>", "what trains; the result is the same", ["cpu", "gpu"]).default("cpu"))
    .option("--seed <N>", "the same seed gives the same index", parseSeed, 1)
    .option("--log <FILE>", "one JSON line for each step of annealing")
    .option("--checkpoint <FILE>", "keep the state of training there, and go on from it")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", BUILD_HELP)
    .action(async (vectors: string | undefined, options: BuildCommandOptions) => {
      const { runBuild } = await import("./vector-index/run-build.ts");
      await runBuild(surroundings, vectors, options);
    });
}

function addQuery(index: Command, surroundings: Surroundings): void {
  withVectorOptions(index.command("query"))
    .summary("the nearest vectors of each query")
    .description("Find the nearest vectors of each query.")
    .argument("<INDEX>", "index written by `build`")
    .argument("<QUERIES>", "file of vectors")
    .option("--k <COUNT>", "how many for each query", parsePositiveCount, 10)
    .option("--probes <LISTS>", "lists to visit for each query (default: a sixteenth, 8 at least)", parsePositiveCount)
    .option("--rerank <COUNT>", "rank so many again by the finer copies of `build --rerank`", parsePositiveCount)
    .option("--threads <N>", "threads that search", parseSomeThreads, 1)
    .option("--out <FILE>", "write the ids as .ivecs, and print none")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", QUERY_HELP)
    .action(async (file: string, queries: string, options: QueryCommandOptions) => {
      const { runQuery } = await import("./vector-index/run-query.ts");
      await runQuery(surroundings, file, queries, options);
    });
}

function addEval(index: Command, surroundings: Surroundings): void {
  withVectorOptions(index.command("eval"))
    .summary("recall, bytes and speed beside an exact search")
    .description("Hold the answers of an index against an exact search, and say what they cost.")
    .argument("<INDEX>", "index written by `build`")
    .argument("<VECTORS>", "what it was built of")
    .argument("<QUERIES>", "file of vectors")
    .option("--probes <LISTS>", "numbers of lists to visit, with commas between (default: 1, 2, 4 … all)", parseProbes)
    .option("--rerank <COUNT>", "rank so many again by the finer copies of `build --rerank`", parsePositiveCount)
    .option("--build", "build the same index once more, to say how long that takes")
    .option("--plot <FILE>", "draw recall against lists visited, as SVG")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", EVAL_HELP)
    .action(async (file: string, vectors: string, queries: string, options: EvalCommandOptions) => {
      const { runEval } = await import("./vector-index/run-eval.ts");
      await runEval(surroundings, file, vectors, queries, options);
    });
}

function addInfo(index: Command, surroundings: Surroundings): void {
  index
    .command("info")
    .summary("what an index holds, where its bytes go, how even its lists are")
    .description("Show what an index holds, where its bytes go, and how even its lists are.")
    .argument("<INDEX>", "index written by `build`")
    .option("--plot <FILE>", "draw the sizes of its lists, as SVG")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep vector-index info base.vlc --plot lists.svg")
    .action(async (file: string, options: { plot?: string; json?: boolean }) => {
      const { runInfo } = await import("./vector-index/run-info.ts");
      await runInfo(surroundings, file, options);
    });
}

function addDecode(index: Command, surroundings: Surroundings): void {
  index
    .command("decode")
    .summary("the vectors of an index, as near as it knows them")
    .description(
      "Write the vectors that an index holds by rising id, and say how far they are from those it was given.",
    )
    .argument("<INDEX>", "index written by `build`")
    .requiredOption("--out <FILE>", "file to write: .npy, .fvecs, or .f32 for rows with nothing before them")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep vector-index decode base.vlc --out back.npy")
    .action(async (file: string, options: { out: string; json?: boolean }) => {
      const { runDecode } = await import("./vector-index/run-decode.ts");
      await runDecode(surroundings, file, options);
    });
}

function addChanges(index: Command, surroundings: Surroundings): void {
  index
    .command("maintain")
    .summary("even out an index after changes")
    .description("Merge anchors that are close, split lists that are long, and drop what was deleted.")
    .argument("<INDEX>", "index written by `build`")
    .option("--json", "one JSON object on standard output")
    .addHelpText(
      "after",
      "\nThe index is replaced at once at the end: Ctrl-C leaves it as it was.\n\nExample:\n  $ lockstep vector-index maintain base.vlc",
    )
    .action(async (file: string, options: { json?: boolean }) => {
      const { runMaintain } = await import("./vector-index/run-changes.ts");
      await runMaintain(surroundings, file, options);
    });
  withVectorOptions(index.command("add"))
    .summary("more vectors into an index")
    .description("Add vectors to an index; their ids go on from those that are there.")
    .argument("<INDEX>", "index written by `build`")
    .argument("<VECTORS>", "file of vectors")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep vector-index add base.vlc more.fvecs")
    .action(async (file: string, vectors: string, options: VectorOptions & { json?: boolean }) => {
      const { runAdd } = await import("./vector-index/run-changes.ts");
      await runAdd(surroundings, file, vectors, options);
    });
  index
    .command("delete")
    .summary("vectors out of an index")
    .description("Delete vectors by their ids.")
    .argument("<INDEX>", "index written by `build`")
    .argument("<IDS...>", "ids, and ranges FROM:TO without TO itself", parseIds)
    .option("--json", "one JSON object on standard output")
    .addHelpText(
      "after",
      "\nTheir room is given back by maintain.\n\nExample:\n  $ lockstep vector-index delete base.vlc 17 100:200",
    )
    .action(async (file: string, ids: readonly number[], options: { json?: boolean }) => {
      const { runDelete } = await import("./vector-index/run-changes.ts");
      await runDelete(surroundings, file, ids, options);
    });
}

function withVectorOptions(command: Command): Command {
  return command
    .addOption(
      choice("--dtype <TYPE>", "what numbers are, where the file does not say", ["f32", "f16", "u8", "i8", "i32"]),
    )
    .option("--d <COUNT>", "numbers in a vector, where the file does not say", parsePositiveCount);
}

function choice(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices);
}

function parseProbes(text: string): number[] {
  return text.split(",").map(parsePositiveCount);
}

function parseRobust(text: string): RobustOption {
  const [, kind, share] = /^(trimmed|huber)=(0?\.\d+)$/.exec(text) ?? [];
  if (kind === undefined || !(Number(share) > 0 && Number(share) < 0.5)) {
    throw new InvalidArgumentError("write trimmed=SHARE or huber=SHARE, with SHARE above 0 and below 0.5");
  }
  return { kind: kind as RobustOption["kind"], share: Number(share) };
}

/** More ids than these are better deleted by building anew. */
const MOST_IDS = 1 << 24;

function parseIds(text: string, before: readonly number[] = []): number[] {
  const [from = 0, to = from + 1] = text.split(":").map(parseCount);
  if (text.split(":").length > 2 || to <= from)
    throw new InvalidArgumentError("write an id, or FROM:TO with TO above FROM");
  if (to - from > MOST_IDS) throw new InvalidArgumentError(`${to - from} ids at once are over ${MOST_IDS}`);
  return [...before, ...Array.from({ length: to - from }, (_, i) => from + i)];
}
