import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import { replaceFile } from "../language-model/replace-file.ts";
import type { Evaluation } from "./evaluate.ts";
import { shownName } from "./example.ts";
import { LoraError } from "./lora-error.ts";

const FORMAT = "lockstep-lora-result";
const VERSION = 1;

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
const count = v.pipe(amount, v.integer());
const score = v.strictObject({ count, exact: share, prefix: share });

const resultSchema = v.strictObject({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  /** What the report calls it: "base", "tuned". */
  label: shownName,
  /** Folders as they were given; the adapter's is null where there was none. */
  model: v.string(),
  adapter: v.nullable(v.string()),
  /** Whether the conditional memory had a say. */
  hasMemory: v.boolean(),
  evaluation: v.strictObject({
    overall: score,
    byCategory: v.record(shownName, score),
    consistency: v.nullable(v.strictObject({ repeats: count, temperature: amount, sameAnswer: share })),
    latency: v.strictObject({ mean: amount, median: amount, p95: amount }),
    tokensPerSecond: amount,
    answers: v.array(
      v.strictObject({
        ...{ prompt: v.string(), answer: v.string(), category: shownName, pattern: v.string(), text: v.string() },
        ...{ isExact: v.boolean(), isPrefix: v.boolean(), tokens: count, seconds: amount },
      }),
    ),
  }),
});

/** An evaluation as it is kept: `results/NAME.json`. */
export interface EvaluationResult {
  readonly label: string;
  readonly model: string;
  readonly adapter: string | null;
  readonly hasMemory: boolean;
  readonly evaluation: Evaluation;
}

/** Keep an evaluation. */
export async function writeResultFile(path: string, result: EvaluationResult): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const { label, model, adapter, hasMemory, evaluation } = result;
  const kept = { format: FORMAT, version: VERSION, label, model, adapter, hasMemory, evaluation };
  await replaceFile(path, [`${JSON.stringify(kept, undefined, 2)}\n`]);
}

/** @throws {LoraError} `bad-result` with what is wrong in which file */
export async function readResultFile(path: string): Promise<EvaluationResult> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw badResult(isAbsent ? `there is no ${path}` : `${path} is no JSON`, cause);
  }
  const { output, issues } = v.safeParse(resultSchema, parsed);
  if (issues === undefined) return output;
  throw badResult(`${path}: ${v.getDotPath(issues[0]) ?? "result"}: ${issues[0].message}`);
}

function badResult(problem: string, cause?: unknown): LoraError {
  return new LoraError("bad-result", problem, "give a result of `lockstep lora eval`", { cause });
}
