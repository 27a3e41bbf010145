import { readDataset } from "../../workloads/lora/dataset-files.ts";
import { evaluateModel } from "../../workloads/lora/evaluate-model.ts";
import type { Example } from "../../workloads/lora/example.ts";
import { type EvaluationResult, writeResultFile } from "../../workloads/lora/result-file.ts";
import { loadPatterns } from "../../workloads/lora/shipped-patterns.ts";
import { CommandError } from "../command-error.ts";
import type { ComputeOptions, EvalAdapterOptions } from "../lora.ts";
import { ProgressLine } from "../progress-line.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { computeOf } from "./open-compute.ts";

/** `lockstep lora eval`. */
export async function runEval(surroundings: Surroundings, model: string, options: EvalAdapterOptions): Promise<void> {
  const { data, limit, out, json } = options;
  const { test } = await readDataset(data);
  const result = await evaluateHere(surroundings, { ...options, model, examples: test.slice(0, limit) });
  if (out !== undefined) await writeResultFile(out, result);
  const { answers, ...figures } = result.evaluation;
  await writeResult(surroundings, json, { ...result, evaluation: figures, out }, evaluationText(result));
}

/** Who is asked, and what. */
export interface EvaluationHere extends ComputeOptions {
  readonly model: string;
  readonly examples: readonly Example[];
  readonly adapter?: string | undefined;
  /** Names of patterns for the memory. */
  readonly memory?: readonly string[] | undefined;
  readonly label?: string | undefined;
  readonly repeats: number;
  readonly seed: number;
}

/** Ask with a line of progress. @throws {CommandError} `interrupted` */
export async function evaluateHere(surroundings: Surroundings, request: EvaluationHere): Promise<EvaluationResult> {
  const { stderr, clock, interrupt } = surroundings;
  const { model, examples, adapter, memory, repeats, seed } = request;
  const { label = `${adapter === undefined ? "base" : "tuned"}${memory === undefined ? "" : " with memory"}` } =
    request;
  const progress = new ProgressLine(stderr, clock, label, "prompts/s");
  let right = 0;
  try {
    return await evaluateModel({
      ...{ label, model, examples, adapter, repeats, seed },
      memory: memory === undefined ? undefined : await loadPatterns(memory),
      backend: await computeOf(surroundings, request)(1),
      nowMs: () => clock.nowMs(),
      signal: interrupt,
      onAnswer: (done, of, { isExact }) => {
        if (isExact) right += 1;
        progress.name(`${right} right`);
        progress.update(done, of);
      },
    });
  } catch (error) {
    if (!interrupt.aborted) throw error;
    throw new CommandError("interrupted", `stopped at ${progress.place}`, "", { cause: error });
  } finally {
    progress.clear();
  }
}

/** An evaluation as a table of categories. */
export function evaluationText({ label, evaluation }: EvaluationResult): string {
  const { overall, byCategory, latency, tokensPerSecond, consistency } = evaluation;
  const rows = [...Object.entries(byCategory), ["all", overall] as const];
  const width = Math.max(...rows.map(([name]) => name.length));
  const cell = (share: number) => `${(100 * share).toFixed(1)} %`.padStart(9);
  return [
    `${label}: exact answers, and those that begin with the answer`,
    ...rows.map(([name, { count, exact, prefix }]) => {
      return `  ${name.padEnd(width)} ${String(count).padStart(6)} prompts ${cell(exact)} ${cell(prefix)}`;
    }),
    `  ${(1000 * latency.median).toFixed(0)} ms an answer (median), ${tokensPerSecond.toFixed(0)} tokens/s`,
    ...(consistency === null
      ? []
      : [
          `  ${(100 * consistency.sameAnswer).toFixed(1)} % of prompts had the same answer ${consistency.repeats} times`,
        ]),
  ].join("\n");
}
