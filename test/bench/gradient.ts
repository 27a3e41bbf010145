import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchOptions, BenchReport } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { maskTimes } from "./gradient-mask.ts";
import { CASES, VARIANTS } from "./gradient-plan.ts";
import { reportOf } from "./gradient-report.ts";
import { type GradientRun, keptRun, runOf, SCALES } from "./gradient-runs.ts";

/**
 * What compressed exchanges cost in loss, beside float32 and PowerSGD: all workers in one process, every byte of every
 * message counted. Each run is kept, and a bench that was stopped goes on.
 */
export async function benchGradient({ dataFolder, isQuick, parts, cases }: BenchOptions): Promise<BenchReport> {
  const scale = isQuick === true ? SCALES.quick : SCALES.full;
  const rows = [...CASES, ...VARIANTS];
  const unknown = parts?.find((part) => !rows.some(({ name }) => name === part));
  if (unknown !== undefined)
    throw new BenchError("unknown-name", { part: unknown, known: rows.map(({ name }) => name).join() });
  const wanted = scale.seeds.flatMap((seed) => rows.map((row) => ({ row, seed })));
  const asked = wanted.filter(({ row }) => parts?.includes(row.name) ?? CASES.includes(row));
  const missing = asked.filter(({ row, seed }) => keptRun(scale, row, seed) === undefined).slice(0, cases);
  const text = dataFolder === undefined ? undefined : readFileSync(join(dataFolder, "input.txt"), "utf8");
  if (missing.length > 0) {
    if (text === undefined)
      throw new BenchError("no-peer", { looked: "a text", install: "--data DIR, with input.txt" });
    for (const [at, { row, seed }] of missing.entries()) {
      const run = await runOf(scale, row, seed, text);
      const line = `${row.name}, seed ${seed}: ${run.valLoss.toFixed(4)} nats, ${run.bytesPerStep.toFixed(0)} B/step`;
      process.stderr.write(`gradient: ${at + 1} of ${missing.length}: ${line}, ${run.cpuSeconds.toFixed(0)} CPU s\n`);
    }
  }
  const runs = wanted.flatMap(({ row, seed }): GradientRun[] => {
    const run = keptRun(scale, row, seed);
    return run === undefined ? [] : [run];
  });
  // What a mask takes has nothing to do with rows, and so little as --quick makes is held against nothing.
  const isWhole = text !== undefined && isQuick !== true && parts === undefined;
  return reportOf(scale, rows, runs, isWhole ? await maskTimes(text) : []);
}
