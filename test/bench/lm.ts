import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BenchOptions, BenchReport } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { runParts } from "./bench-part.ts";
import { gradientsPart } from "./lm-gradients.ts";
import { identityPart } from "./lm-identity.ts";
import { largePart } from "./lm-large.ts";
import { memoryPart } from "./lm-memory.ts";
import { nanochatPart } from "./lm-nanochat.ts";
import { nanogptPart } from "./lm-nanogpt.ts";
import type { LmPart } from "./lm-part.ts";
import { scalarPart } from "./lm-scalar.ts";
import { gemmPart, stepsPart } from "./lm-steps.ts";
import { threadsPart } from "./lm-threads.ts";
import { webGpuPart } from "./lm-webgpu.ts";
import { reportOf } from "./parts-report.ts";

/** In the order of the page. */
const PARTS: readonly LmPart[] = [
  ...[stepsPart, gemmPart, scalarPart, nanogptPart, nanochatPart],
  ...[identityPart, gradientsPart, memoryPart, threadsPart, largePart, webGpuPart],
];
/** TinyShakespeare, in the folder that `--data` names. */
const TEXT = "input.txt";

/**
 * The language-model lab beside PyTorch and CPython, part by part.
 *
 * @throws {BenchError} `unknown-name` for a part that there is not, `no-answer` from a peer
 */
export async function benchLm(options: BenchOptions): Promise<BenchReport> {
  const { dataFolder } = options;
  const text = dataFolder === undefined ? undefined : join(dataFolder, TEXT);
  if (text !== undefined && !existsSync(text)) throw new BenchError("unknown-name", { file: TEXT, folder: "--data" });
  const notes = ["Times are processor times, so that a busy machine shows in them little."];
  return reportOf("The language-model lab", notes, await runParts("lm", PARTS, options, { text }));
}
