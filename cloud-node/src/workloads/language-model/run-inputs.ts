import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NamedBlob } from "../../jobs/job.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext } from "../../jobs/workload.ts";
import { Checkpoint } from "./checkpoint.ts";
import { LanguageModelError } from "./language-model-error.ts";
import { unpackRun } from "./run-archive.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What the attempt before left, put back into a folder. @param out  a folder that is not there yet */
export async function lastCheckpoint(context: JobContext, out: string): Promise<Checkpoint | undefined> {
  const saved = context.resume();
  if (saved === undefined) return undefined;
  const path = join(context.scratch, "saved");
  await writeFile(path, saved);
  return await Checkpoint.open(await unpackRun(out, path));
}

/** The tokenizer that is given beside the text; undefined: none is. @throws {LanguageModelError} `bad-tokenizer` */
export async function tokenizerOf(file: NamedBlob | undefined, context: JobContext): Promise<Tokenizer | undefined> {
  if (file === undefined) return undefined;
  const { HfTokenizer } = await import("./hf-tokenizer.ts");
  const text = await readFile(await context.file(file), "utf8");
  try {
    return new HfTokenizer(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof LanguageModelError) throw cause;
    throw new LanguageModelError("bad-tokenizer", `${file.name} is no JSON`, "give a tokenizer.json", { cause });
  }
}

/**
 * What is wrong with a run, in the words of a job: another attempt would find the same, but for a full disk.
 *
 * @param workload  its name
 */
export function asJobError(workload: string, error: unknown): unknown {
  if (!(error instanceof LanguageModelError)) return error;
  const { code, problem, remedy } = error;
  if (code === "no-room") return new JobError("disk-full", problem, remedy, { cause: error });
  const isOption = code === "bad-config" || code === "loss-not-finite";
  return new JobError(isOption ? "bad-params" : "bad-input", `${workload}, ${problem}`, remedy, { cause: error });
}
