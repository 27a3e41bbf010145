import * as v from "valibot";
import { TARGET_MODULES } from "../lora/llama-names.ts";
import { PRECISIONS } from "./quantized-weights.ts";

const whole = (from: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(from), v.maxValue(most));
const positive = v.pipe(v.number(), v.gtValue(0), v.finite());
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** How large a Llama is. */
export const sizeSchema = v.strictObject({
  layers: whole(1, 64),
  heads: whole(1, 64),
  kvHeads: whole(1, 64),
  width: whole(8, 4096),
  hidden: whole(8, 16_384),
});
export type ModelSize = v.InferOutput<typeof sizeSchema>;

/** How anything here learns: a backbone's matrices by Muon, all else by AdamW; rates rise, and then fall evenly. */
const learningEntries = {
  steps: whole(1, 1_000_000),
  /** Tokens of a step, of each capability that it has: where questions are short, it has more of them. */
  tokens: whole(16, 1_000_000),
  /** Of AdamW. */
  learningRate: positive,
  /** Of Muon. */
  matrixRate: v.optional(positive, 0.02),
  /** Of AdamW. */
  weightDecay: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(10)), 0),
  /** Different questions that are asked, over and over. */
  questions: v.optional(whole(1, 1_000_000), 4000),
};

/** A teacher that the project trains itself. */
export const teacherSchema = v.strictObject({ size: sizeSchema, ...learningEntries });
export type TeacherOptions = v.InferOutput<typeof teacherSchema>;

/** What is found out about a teacher. */
export const profileSchema = v.strictObject({
  precision: v.optional(v.picklist(PRECISIONS), "int8"),
  /** Questions that layers are left out on, one after the other. */
  probes: v.optional(whole(1, 1000), 20),
  /** Layers whose loss costs most, of which activations are profiled. */
  keyLayers: v.optional(whole(1, 8), 2),
  /** Questions whose activations the components are of. */
  questions: v.optional(whole(1, 1_000_000), 192),
  /** Directions that the stream keeps, three for each that a profile may: O(width × this) is its memory. */
  streamRank: v.optional(whole(2, 512), 48),
  /** The intrinsic dimension is the number of components that have this share of the variance. */
  varianceShare: v.optional(v.pipe(share, v.gtValue(0)), 0.9),
  /** MAX_RANK_PER_CAPABILITY: of an adapter. */
  maxRank: v.optional(whole(1, 64), 4),
  /** Of the subspace that is protected at a layer. */
  maxComponents: v.optional(whole(1, 256), 16),
});
export type ProfileOptions = v.InferOutput<typeof profileSchema>;

/** What the student is made of. */
export const studentSchema = v.strictObject({
  size: sizeSchema,
  /** Linear maps that adapters stand beside. */
  targets: v.optional(v.pipe(v.array(v.picklist(TARGET_MODULES)), v.minLength(1)), [...TARGET_MODULES]),
  /** Parameters of backbone, adapters and router, as a share of the teachers'. */
  largestShare: v.optional(share, 1 / 3),
});
export type StudentOptions = v.InferOutput<typeof studentSchema>;

const phase = v.strictObject(learningEntries);
export type PhaseOptions = v.InferOutput<typeof phase>;

/** What is a spike of the loss, and what follows. */
export const spikeSchema = v.strictObject({
  /** A loss above so many times the mean of those before … */
  factor: v.optional(v.pipe(v.number(), v.gtValue(1), v.finite()), 2),
  /** … and above it by so much, nats. */
  margin: v.optional(positive, 0.5),
  /** Steps from one good state that is kept to the next. */
  keepEvery: v.optional(whole(1, 10_000), 25),
  /** The anchors' weight is multiplied by it. */
  raise: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100)), 1.5),
  /** A run with more of them is given up. */
  most: v.optional(whole(0, 1000), 8),
});
export type SpikeOptions = v.InferOutput<typeof spikeSchema>;

/** How the student learns. */
export const distilSchema = v.strictObject({
  backbone: phase,
  adapters: phase,
  /** Backbone and adapters together; not done unless given. */
  joint: v.exactOptional(phase),
  /** α of L = L_output + α · L_anchor; 0: outputs alone. */
  anchorWeight: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1000)), 0.5),
  /** Of L_output, what comes from the teacher's probabilities; the rest from right answers. */
  softShare: v.optional(share, 0.8),
  /** Steps from one look at how well protected subspaces are kept to the next. */
  checkEvery: v.optional(whole(1, 100_000), 50),
  spikes: v.optional(spikeSchema, {}),
});
export type DistilOptions = v.InferOutput<typeof distilSchema>;
