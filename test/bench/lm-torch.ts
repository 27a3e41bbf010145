import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Batch,
  type BatchSource,
  initialValues,
  type ModelConfig,
  parameterSpecs,
  prepareData,
  type RunConfig,
  settleModel,
} from "@lockstep/cloud-node/lab";
import type { Judged } from "./lm-judged.ts";
import { runPython } from "./python-peer.ts";

/** What lm_torch_train.py prints. */
export interface TorchRun {
  readonly torch: string;
  /** By step. */
  readonly losses: readonly number[];
  /** Of a step on average. */
  readonly cpuMs: number;
  /** Mean nats of each part that was to be judged. */
  readonly judged: readonly number[];
}

/** Train the same model in PyTorch, from the same numbers, over the same batches; undefined where it is not installed. */
export async function trainInTorch(
  run: RunConfig,
  text: string,
  judged: readonly Judged[],
  folder: string,
): Promise<TorchRun | undefined> {
  const { training, tokenizer } = prepareData(run, text);
  const model = settleModel(run.model, tokenizer.vocabulary);
  const batches = join(folder, "batches.i32");
  writeBatches(batches, takeBatches(training, run.steps));
  return await runPython<TorchRun>("python3-torch", "lm_torch_train.py", {
    ...{ run, model, tensors: parameterSpecs(model), initial: writeInitial(model, run.seed, folder), batches },
    judged: judged.map((part, at) => {
      const file = join(folder, `judged-${at}.i32`);
      writeBatches(file, part.batches);
      return { file, rows: part.rows };
    }),
  });
}

/** The next batches of a source, each with arrays of its own. */
export function takeBatches(source: BatchSource, count: number): Batch[] {
  return Array.from({ length: count }, () => {
    const { inputs, targets, ...rest } = source.next();
    return { ...rest, inputs: inputs.slice(), targets: targets.slice() };
  });
}

/** Raw int32 numbers: of each batch its inputs, then its targets. */
export function writeBatches(path: string, batches: readonly Batch[]): void {
  const arrays = batches.flatMap(({ inputs, targets }) => [inputs, targets]);
  writeFileSync(
    path,
    Buffer.concat(arrays.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength))),
  );
}

function writeInitial(model: ModelConfig, seed: number, folder: string): string {
  const path = join(folder, "initial.f32");
  const arrays = parameterSpecs(model).map((spec) => initialValues(spec, seed));
  writeFileSync(path, Buffer.concat(arrays.map(({ buffer }) => Buffer.from(buffer))));
  return path;
}
