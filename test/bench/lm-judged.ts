import {
  type Batch,
  Checkpoint,
  openShardedBackend,
  type RunConfig,
  type RunData,
  TensorModel,
} from "@lockstep/cloud-node/lab";
import { takeBatches } from "./lm-torch.ts";
import { checkpointIn } from "./lm-train-command.ts";

/** Batches of the part of a text that was not learned from, in which only what counts is to be foreseen. */
export interface Judged {
  readonly rows: number;
  readonly batches: readonly Batch[];
}

/** Those by which a run is judged at its end, as upstream draws them. */
export function estimateOf(config: RunConfig, data: RunData): Judged {
  const batches = takeBatches(data.evaluation("val", config.steps), config.evalBatches);
  // A document's beginning has no bytes, and does not count.
  const targets = (all: Int32Array) => all.map((id) => (data.tokenizer.bytesOf(id) === 0 ? -1 : id));
  return { rows: config.data.rows, batches: batches.map((batch) => ({ ...batch, targets: targets(batch.targets) })) };
}

/** All of it, row after row, of one long run of tokens. */
export function wholeOf({ data, model: { context } }: RunConfig, { tokenizer }: RunData, text: string): Judged {
  const tokens = tokenizer.encode(text);
  const part = tokens.subarray(Math.floor(tokens.length * data.trainShare));
  const perBatch = data.rows * context;
  const batches = Array.from({ length: Math.ceil((part.length - 1) / perBatch) }, (_, at): Batch => {
    const first = at * perBatch;
    const inputs = new Int32Array(perBatch);
    inputs.set(part.subarray(first, Math.min(first + perBatch, part.length - 1)));
    const targets = new Int32Array(perBatch).fill(-1);
    targets.set(part.subarray(first + 1, first + 1 + perBatch));
    return { rows: data.rows, context, inputs, targets };
  });
  return { rows: data.rows, batches };
}

/** Mean over everything that counts, nats. */
export async function meanNats(model: TensorModel, { batches }: Judged): Promise<number> {
  let [nats, count] = [0, 0];
  for (const batch of batches) {
    const own = batch.targets.reduce((sum, target) => sum + (target >= 0 ? 1 : 0), 0);
    if (own === 0) continue;
    nats += own * (await model.loss(batch));
    count += own;
  }
  return nats / count;
}

/** The same of a run's newest checkpoint. */
export async function meanNatsOf(out: string, judged: Judged): Promise<number> {
  const checkpoint = await Checkpoint.open(checkpointIn(out));
  try {
    const backend = await openShardedBackend({ name: "wasm-strict", shards: 1, threads: 1 });
    const model = await TensorModel.create(backend, checkpoint.model, judged.rows, checkpoint.config.seed);
    await model.restore(checkpoint.reader);
    const nats = await meanNats(model, judged);
    model.close();
    return nats;
  } finally {
    await checkpoint.close();
  }
}
