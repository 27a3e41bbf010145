import { DISTILLATION_PRESETS, openShardedBackend, type RunHooks } from "@lockstep/cloud-node/lab";

/** What the parts of science are measured with: a whole distillation in a minute or two. */
export const PRESET = DISTILLATION_PRESETS.quick;

/** What pieces of work are given in a benchmark: one thread, the same bits everywhere. */
export function benchRun(say: (line: string) => void): RunHooks {
  return {
    backend: () => openShardedBackend({ name: "wasm-strict", shards: 1, threads: 1 }),
    nowMs: () => performance.now(),
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onLog: say,
    onLoss: () => undefined,
  };
}
