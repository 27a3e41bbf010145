import type { PackedResults, PackedTrials } from "./trial-batch.ts";

/** From the node's thread to one that decodes. A plan is told before the first batch that names it. */
export type DecodeOrder =
  | {
      readonly kind: "plan";
      readonly plan: number;
      /** The module that its birth names; undefined when the thread was given it before. */
      readonly wasm: Uint8Array | undefined;
      /** A birth's frame. */
      readonly birth: Uint8Array;
      readonly lattices: number;
    }
  | { readonly kind: "trials"; readonly trials: PackedTrials };

/** Back, once per batch, in their order. */
export interface DecodeAnswer {
  readonly results: PackedResults;
}
