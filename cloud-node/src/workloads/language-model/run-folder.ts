import { copyFile, link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type CheckpointHead, writeCheckpoint } from "./checkpoint.ts";
import { LanguageModelError } from "./language-model-error.ts";
import { formatMetricsRow, METRICS_HEADER, type MetricsRow, parseMetricsLine } from "./metrics-row.ts";
import type { Model } from "./model.ts";
import { aboutRoom, PARTIAL_SUFFIX, replaceFile } from "./replace-file.ts";
import { statIfThere } from "./stat-if-there.ts";

/** The newest checkpoint, the one before it, and the one that foresaw best. */
export const NEWEST = "checkpoint.safetensors";
const BEFORE = "checkpoint.before.safetensors";
export const BEST = "best.safetensors";
const CSV = "metrics.csv";
export const JSONL = "metrics.jsonl";

/** Everything that a finished run has. */
export const RUN_FILES = [
  ...[NEWEST, BEST, CSV, JSONL],
  ...["config.json", "summary.json", "summary.md", "loss.svg"],
] as const;

/** A run's files: checkpoints, metrics, and what is said of it at the end. */
export class RunFolder {
  readonly path: string;
  #rows: MetricsRow[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  /** Make the folder, with nothing in it that a run before left. @throws {LanguageModelError} `other-run` when there is one */
  static async create(path: string, isReplaced: boolean): Promise<RunFolder> {
    if (!isReplaced && (await hasRun(path))) {
      const remedy = "go on with it by --resume, write over it by --force, or name another folder";
      throw new LanguageModelError("other-run", `there is a run in ${path}`, remedy);
    }
    await mkdir(path, { recursive: true });
    for (const name of [...RUN_FILES, BEFORE]) {
      for (const suffix of ["", PARTIAL_SUFFIX]) await rm(join(path, `${name}${suffix}`), { force: true });
    }
    const folder = new RunFolder(path);
    await folder.#rewriteMetrics();
    return folder;
  }

  /** Go on with a run that has updates up to a step: what was measured from there on is measured again. */
  static async reopen(path: string, step: number): Promise<RunFolder> {
    const folder = new RunFolder(path);
    const metrics = join(path, JSONL);
    const text = (await statIfThere(metrics)) === undefined ? "" : await readFile(metrics, "utf8");
    const rows = text.split("\n").map(parseMetricsLine);
    folder.#rows = rows.filter((row) => row !== undefined).filter((row) => row.step < step);
    await folder.#rewriteMetrics();
    return folder;
  }

  get rows(): readonly MetricsRow[] {
    return this.#rows;
  }

  /** Where the newest checkpoint is. */
  get newest(): string {
    return join(this.path, NEWEST);
  }

  /** Add a row to both files of metrics. @throws {LanguageModelError} `no-room` */
  async addRow(row: MetricsRow): Promise<void> {
    this.#rows.push(row);
    const [csv, json] = formatMetricsRow(row);
    await this.#append(CSV, `${csv}\n`);
    await this.#append(JSONL, `${json}\n`);
  }

  /** Write a checkpoint; the one before it stays until it is known that this one is good. */
  async keep(model: Model, head: CheckpointHead): Promise<void> {
    await linkOver(this.newest, join(this.path, BEFORE));
    await writeCheckpoint(this.newest, model, head);
  }

  /** What was kept last is no good: the one before it is the newest again. @returns whether there is one */
  async goBack(): Promise<boolean> {
    const before = join(this.path, BEFORE);
    const hasBefore = (await statIfThere(before)) !== undefined;
    if (hasBefore) await rename(before, this.newest);
    else await rm(this.newest, { force: true });
    return hasBefore;
  }

  /** What was kept last is the best so far. */
  async markBest(): Promise<void> {
    await linkOver(this.newest, join(this.path, BEST));
  }

  /** Write a text beside the checkpoints. */
  async write(name: string, text: string): Promise<void> {
    await replaceFile(join(this.path, name), [text]);
  }

  /** The run is over: nobody has to go back any more. */
  async finish(): Promise<void> {
    await rm(join(this.path, BEFORE), { force: true });
  }

  async #rewriteMetrics(): Promise<void> {
    const lines = this.#rows.map(formatMetricsRow);
    await this.write(CSV, [METRICS_HEADER, ...lines.map(([csv]) => csv)].map((line) => `${line}\n`).join(""));
    await this.write(JSONL, lines.map(([, json]) => `${json}\n`).join(""));
  }

  async #append(name: string, text: string): Promise<void> {
    const path = join(this.path, name);
    try {
      const file = await open(path, "a");
      try {
        await file.writeFile(text);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw aboutRoom(error, path);
    }
  }
}

/**
 * The checkpoint that somebody means: a file, or of a run's folder the best or else the newest one.
 *
 * @throws {LanguageModelError} `no-checkpoint`
 */
export async function checkpointOf(path: string, which: "best" | "newest"): Promise<string> {
  const place = await statIfThere(path);
  if (place?.isFile()) return path;
  for (const name of which === "best" ? [BEST, NEWEST] : [NEWEST]) {
    const file = join(path, name);
    if ((await statIfThere(file))?.isFile()) return file;
  }
  const problem = place === undefined ? `there is no ${path}` : `there is no checkpoint in ${path}`;
  throw new LanguageModelError("no-checkpoint", problem, "train one with `lockstep lm train TEXT --out FOLDER`");
}

async function hasRun(path: string): Promise<boolean> {
  const places = [NEWEST, JSONL].map(async (name) => await statIfThere(join(path, name)));
  return (await Promise.all(places)).some((place) => place !== undefined);
}

/** A second name for a file, in place of whatever has it; a copy where a file has one name only. */
async function linkOver(from: string, to: string): Promise<void> {
  if ((await statIfThere(from)) === undefined) return;
  const partial = `${to}${PARTIAL_SUFFIX}`;
  try {
    await rm(partial, { force: true });
    await link(from, partial).catch(async () => await copyFile(from, partial));
    await rename(partial, to);
  } catch (error) {
    await rm(partial, { force: true });
    throw aboutRoom(error, to);
  }
}
