import { openBackend } from "../language-model/open-backend.ts";
import type { Category } from "./capability.ts";
import { drawnWeights, llamaOf, writeLlama } from "./llama.ts";
import type { ModelSize } from "./options.ts";
import { questionWriter } from "./question-writer.ts";
import type { RunHooks } from "./run-hooks.ts";

/** Models of tests: large enough to have everything. */
export const TINY: ModelSize = { layers: 2, heads: 2, kvHeads: 1, width: 16, hidden: 24 };

/** What a run is told, kept. */
export interface WatchedRun extends RunHooks {
  readonly lines: string[];
  readonly losses: number[];
}

/** Hooks that keep what they are told. */
export function watchedRun(name: "wasm-strict" | "js" = "wasm-strict"): WatchedRun {
  const [lines, losses]: [string[], number[]] = [[], []];
  return {
    ...{ lines, losses, signal: new AbortController().signal, nowMs: () => 0 },
    backend: () => openBackend({ name, shards: 1, threads: 1 }),
    onProgress: () => undefined,
    onLog: (line) => void lines.push(line),
    onLoss: (_, loss) => void losses.push(loss),
  };
}

/** A teacher that was never taught: what tests of machinery need. */
export async function drawTeacher(folder: string, category: Category, size = TINY): Promise<void> {
  const config = llamaOf(size);
  await writeLlama(folder, config, drawnWeights(config, category.length));
}

/** How tests write questions. */
export const WRITER = questionWriter(96);
