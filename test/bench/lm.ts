import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchOptions, BenchReport } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { gradientsPart } from "./lm-gradients.ts";
import { identityPart } from "./lm-identity.ts";
import { type KeptPart, keepPart, readKept } from "./lm-kept.ts";
import { largePart } from "./lm-large.ts";
import { memoryPart } from "./lm-memory.ts";
import { nanochatPart } from "./lm-nanochat.ts";
import { nanogptPart } from "./lm-nanogpt.ts";
import type { LmPart } from "./lm-part.ts";
import { reportOf } from "./lm-report.ts";
import { scalarPart } from "./lm-scalar.ts";
import { gemmPart, stepsPart } from "./lm-steps.ts";
import { threadsPart } from "./lm-threads.ts";
import { webGpuPart } from "./lm-webgpu.ts";

/** In the order of the page. */
const PARTS: readonly LmPart[] = [
  ...[stepsPart, gemmPart, scalarPart, nanogptPart, nanochatPart],
  ...[identityPart, gradientsPart, memoryPart, threadsPart, largePart, webGpuPart],
];
/** TinyShakespeare, in the folder that `--data` names. */
const TEXT = "input.txt";

/**
 * The language-model lab beside PyTorch and CPython, part by part. What a part found is kept as soon as it is known: a run
 * of some parts (`--parts`) shows the others as they were found last.
 *
 * @throws {BenchError} `unknown-name` for a part that there is not, `no-answer` from a peer
 */
export async function benchLm({ dataFolder, parts, isQuick = false }: BenchOptions): Promise<BenchReport> {
  const asked = parts === undefined ? PARTS : parts.map(partNamed);
  const text = dataFolder === undefined ? undefined : join(dataFolder, TEXT);
  if (text !== undefined && !existsSync(text)) throw new BenchError("unknown-name", { file: TEXT, folder: "--data" });
  const found = new Map<string, KeptPart>(isQuick ? [] : readKept());
  for (const part of asked) {
    const kept = await runPart(part, text, isQuick);
    found.set(part.name, kept);
    if (!isQuick) keepPart(part.name, kept);
  }
  return reportOf(PARTS.map((part) => ({ part, kept: found.get(part.name) })));
}

async function runPart(part: LmPart, text: string | undefined, isQuick: boolean): Promise<KeptPart> {
  const begun = performance.now();
  const say = (line: string) => process.stderr.write(`lm, ${part.name}: ${line}\n`);
  say("begins");
  const folder = await mkdtemp(join(tmpdir(), "lockstep-bench-lm-"));
  try {
    const found = await part.run({ text, isQuick, folder, say });
    // So few steps say nothing of goals.
    const findings = isQuick ? { ...found, goals: [] } : found;
    const seconds = (performance.now() - begun) / 1000;
    say(`done after ${seconds.toFixed(0)} s`);
    for (const { title, columns, rows } of findings.tables) {
      for (const line of [title, columns.join(" | "), ...rows.map((row) => row.join(" | "))]) say(line);
    }
    for (const goal of findings.goals) say(`${goal.what}: ${goal.measured.toPrecision(4)} ${goal.unit}`);
    return { findings, date: new Date().toISOString(), seconds, load: loadavg() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function partNamed(name: string): LmPart {
  const part = PARTS.find((each) => each.name === name);
  if (part === undefined) {
    throw new BenchError("unknown-name", { part: name, "there are": PARTS.map((each) => each.name).join() });
  }
  return part;
}
