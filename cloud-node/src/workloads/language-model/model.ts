import type { TrainOutcome } from "../../tensor/engine.ts";
import type { OptimizerStep } from "../../tensor/optimizer.ts";
import type { Batch } from "./batch.ts";
import type { SafetensorsReader } from "./safetensors-reader.ts";
import type { TensorSource } from "./safetensors-writer.ts";

/** A model that learns, whichever engine it runs on. */
export interface Model {
  /** Learn from a batch. Where loss or gradient is no finite number, nothing is changed. */
  train(batch: Batch, update: OptimizerStep): Promise<TrainOutcome>;
  /** @returns mean over the batch's targets, nats; NaN where there is none */
  loss(batch: Batch): Promise<number>;
  /** Everything that learning goes on from, by name: parameters, and behind `optimizer.` what the optimizer keeps of them. */
  tensors(): TensorSource[];
  /** Go on from what `tensors` gave. @throws {LanguageModelError} `foreign-checkpoint`, `truncated` */
  restore(reader: SafetensorsReader): Promise<void>;
  close(): void;
}

/** Names under which a checkpoint keeps what an optimizer knows of a parameter. */
export const AVERAGE_PREFIX = "optimizer.average.";
export const SQUARE_PREFIX = "optimizer.square.";
