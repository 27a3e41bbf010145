import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { statIfThere } from "../../workloads/language-model/stat-if-there.ts";
import { compareResults } from "../../workloads/lora/compare-results.ts";
import { comparisonReport } from "../../workloads/lora/comparison-report.ts";
import { writeDataset } from "../../workloads/lora/dataset-files.ts";
import { makeDataset } from "../../workloads/lora/make-dataset.ts";
import { writeResultFile } from "../../workloads/lora/result-file.ts";
import { loadPatterns } from "../../workloads/lora/shipped-patterns.ts";
import { WEIGHTS_FILE } from "../../workloads/lora/weight-files.ts";
import type { RunAllOptions } from "../lora.ts";
import { replaceWhole } from "../partial-file.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { makeBaseHere } from "./run-base.ts";
import { comparisonPlot, comparisonText } from "./run-compare.ts";
import { evaluateHere } from "./run-eval.ts";
import { trainHere, trainingText } from "./run-train.ts";

const STAGES = 5;
/** Quick runs show that everything works: they learn next to nothing. */
const QUICK_ITERATIONS = 3;
const QUICK_PROMPTS = 12;

/** `lockstep lora run-all`. */
export async function runAll(
  surroundings: Surroundings,
  names: readonly string[],
  options: RunAllOptions,
): Promise<void> {
  const { stderr } = surroundings;
  const { out, quick, seed, repeats, json } = options;
  const at = (...parts: string[]) => join(out, ...parts);
  let stage = 0;
  const say = (what: string): void => {
    stage += 1;
    stderr.write(`${stage}/${STAGES} ${what}\n`);
  };
  await mkdir(at("results"), { recursive: true });

  say(options.model === undefined ? "a small Llama of our own" : `the model in ${options.model}`);
  const model = options.model ?? at("model");
  const isThere = (await statIfThere(join(model, WEIGHTS_FILE))) !== undefined;
  if (options.model === undefined && !isThere)
    await makeBaseHere(surroundings, { ...options, out: model, force: true });

  const dataset = makeDataset(await loadPatterns(names), { seed, variants: 1 });
  say(`${dataset.train.length} examples to learn from, ${dataset.test.length} prompts for the test`);
  await writeDataset(at("data"), dataset);
  const examples = quick === true ? dataset.test.slice(0, QUICK_PROMPTS) : dataset.test;

  say("before");
  const before = await evaluateHere(surroundings, { ...options, model, examples, repeats });
  await writeResultFile(at("results", "base.json"), before);

  say("training");
  const adapter = at("adapter");
  const training = await trainHere(surroundings, {
    ...options,
    ...{ model, dataset, out: adapter, resume: true },
    ...(quick === true && options.iterations === undefined ? { iterations: QUICK_ITERATIONS } : {}),
  });

  say("after");
  const after = await evaluateHere(surroundings, { ...options, model, adapter, examples, repeats });
  await writeResultFile(at("results", "tuned.json"), after);

  const comparison = compareResults(before.evaluation.answers, after.evaluation.answers, seed);
  await replaceWhole(at("report.md"), comparisonReport(before, after, comparison));
  await replaceWhole(at("accuracy.svg"), comparisonPlot(before, after, comparison));
  const summary = { model, adapter, training, comparison };
  await replaceWhole(at("summary.json"), `${JSON.stringify(summary, undefined, 2)}\n`);
  const lines = [
    trainingText(adapter, training),
    comparisonText(comparison),
    `${at("report.md")} has the whole report`,
  ];
  await writeResult(surroundings, json, summary, lines.join("\n"));
}
