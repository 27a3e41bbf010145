import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Comparison } from "@lockstep/cloud-node/lab";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { runLockstep } from "./measured-command.ts";

const TABLES = "lookups";
const ALL = ["code_idioms", "facts", "formats", "error_fixes", TABLES];
const QUICK_PROMPTS = 8;

/** What the memory adds to an adapter that was taught the same tables. */
export interface LookupFindings {
  readonly table: BenchTable;
  readonly goals: readonly BenchGoal[];
  readonly json: unknown;
}

/** An evaluation as `lora eval` keeps it. */
interface KeptResult {
  readonly evaluation: { readonly answers: readonly { readonly category: string; readonly text: string }[] };
}

/** LoRA taught tables with everything else, asked without and with the conditional memory of these tables. */
export async function measureLookups(model: string, folder: string, isQuick: boolean): Promise<LookupFindings> {
  const at = (name: string) => join(folder, name);
  await runLockstep(["lora", "generate", ...ALL, "--out", at("all-data")]);
  const iterations = isQuick ? ["--iterations", "2"] : [];
  await runLockstep(["lora", "train", model, "--data", at("all-data"), "--out", at("all-adapter"), ...iterations]);
  const asked = ["lora", "eval", model, "--data", at("all-data"), "--adapter", at("all-adapter")];
  const limit = isQuick ? ["--limit", String(QUICK_PROMPTS)] : [];
  await runLockstep([...asked, ...limit, "--label", "lora", "--out", at("alone.json")]);
  await runLockstep([...asked, ...limit, "--memory", ...ALL, "--label", "lora and memory", "--out", at("memory.json")]);
  const compared = await runLockstep(["lora", "compare", at("alone.json"), at("memory.json"), "--json"]);
  const { byCategory } = JSON.parse(compared.stdout) as Comparison;
  const [alone, beside] = [at("alone.json"), at("memory.json")].map(
    (path) => (JSON.parse(readFileSync(path, "utf8")) as KeptResult).evaluation.answers,
  );
  const free = (alone ?? []).map((one, index) => ({ ...one, other: beside?.[index]?.text }));
  const freeText = free.filter(({ category }) => category !== TABLES);
  const changed = freeText.filter(({ text, other }) => text !== other).length;
  const gain = byCategory[TABLES]?.gain ?? Number.NaN;
  return {
    table: {
      title: "The conditional memory beside LoRA alone, both taught patterns and tables: exact answers, in percent",
      columns: ["category", "patterns", "LoRA", "LoRA and memory", "gain", "from", "to"],
      rows: Object.entries(byCategory).map(([name, { patterns, before, after, gain: more, low, high }]) => [
        ...[name, patterns, ...[before, after, more, low, high].map((share) => (100 * share).toFixed(1))],
      ]),
    },
    goals: [
      {
        what: "Memory, exact answers of tables: gain over LoRA alone",
        ...{ measured: 100 * gain, unit: "points", must: { atLeast: 20 } },
      },
      {
        what: `Memory, answers to free text that it changed, of ${freeText.length}`,
        ...{ measured: changed, unit: "answers", must: { atMost: 0 } },
      },
    ],
    json: { byCategory, freeText: { answers: freeText.length, changed } },
  };
}
