import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { Checkpoint, type CheckpointHead, writeCheckpoint } from "./checkpoint.ts";
import { openBackend } from "./open-backend.ts";
import { parseRunConfig } from "./parse-run-config.ts";
import { checkpointOf } from "./run-folder.ts";
import type { RunSummary } from "./run-summary.ts";
import type { TensorSource } from "./safetensors-writer.ts";
import { type TrainRequest, trainModel } from "./train-model.ts";
import { trainingText } from "./training-text.ts";

/** Some of Shakespeare's sonnets: small enough to be learned from in a test. */
export const SONNETS = readFileSync(new URL("sonnets.txt", import.meta.url), "utf8");

/** Small runs of both engines, which take a second. */
export const SMALL_RUNS: Readonly<Record<string, readonly string[]>> = {
  scalar: ["engine=scalar", "data.packing=best-fit", "data.documents=lines", "model.norm=rms-plain"],
  tensor: ["model.dropout=0.1", "model.positions=rope"],
};
const SMALL = [
  ...["model.layers=1", "model.heads=2", "model.width=8", "model.context=12", "data.rows=2"],
  ...["steps=13", "evalEvery=5", "evalBatches=2", "schedule.warmup=2"],
];

/** Runs in a folder of their own. */
export class RunRig {
  readonly folder = mkdtempSync(resolve(tmpdir(), "lockstep-lm-"));

  at(name: string): string {
    return resolve(this.folder, name);
  }

  /** Begin a run, or go on with the one that is there. */
  async train(name: string, settings: readonly string[], more: Partial<TrainRequest> = {}): Promise<RunSummary> {
    let now = 0;
    return await trainModel({
      config: parseRunConfig({ settings: [...SMALL, ...settings] }),
      ...{ text: trainingText(Buffer.from(SONNETS), "sonnets.txt"), out: this.at(name), isReplaced: false },
      openBackend: (shards) => openBackend({ name: "wasm-strict", shards, threads: 1 }),
      signal: new AbortController().signal,
      nowMs: () => ++now,
      memoryBytes: () => 1000,
      ...more,
    });
  }

  async resume(name: string, more: Partial<TrainRequest> = {}): Promise<RunSummary> {
    const checkpoint = await Checkpoint.open(await checkpointOf(this.at(name), "newest"));
    try {
      return await this.train(name, [], { config: checkpoint.config, checkpoint, ...more });
    } finally {
      await checkpoint.close();
    }
  }

  /** The tensors of a checkpoint or of a run's newest one, and what it says of itself but for times. */
  async contents(name: string): Promise<{ readonly tensors: Record<string, unknown>; readonly progress: object }> {
    const checkpoint = await Checkpoint.open(await checkpointOf(this.at(name), "newest"));
    const tensors: Record<string, unknown> = {};
    for (const place of checkpoint.reader.tensors) {
      tensors[place.name] = await checkpoint.reader.floats(place.name, place.shape);
    }
    await checkpoint.close();
    const { seconds: _, last, ...progress } = checkpoint.progress;
    return { tensors, progress: { ...progress, last: { ...last, tokensPerSecond: 0 } } };
  }

  /** A run's newest checkpoint with other words or numbers in it, whole in itself. */
  async rewrite(name: string, head: Partial<CheckpointHead>, change = (value: number) => value): Promise<void> {
    const checkpoint = await Checkpoint.open(await checkpointOf(this.at(name), "newest"));
    const tensors: TensorSource[] = [];
    for (const place of checkpoint.reader.tensors) {
      const floats = (await checkpoint.reader.floats(place.name, place.shape)).map(change);
      tensors.push({ ...place, type: floats instanceof Float64Array ? "F64" : "F32", read: () => floats });
    }
    await checkpoint.close();
    const { config, backend, tokenizer, textDigest, progress } = checkpoint;
    const before = { config, backend, tokenizer, textDigest, progress };
    await writeCheckpoint(checkpoint.path, { tensors: () => tensors }, { ...before, ...head });
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}
