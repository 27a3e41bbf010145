import * as v from "valibot";
import { CATEGORIES } from "./capability.ts";

/** What the process of the gate is asked, as its one argument. */
export interface GateRequest {
  /** Folder of the student; the only model that it can read. */
  readonly student: string;
  /** Files of prompts, by category. */
  readonly benchmarks: { readonly [category: string]: string };
  /** Where teachers were. */
  readonly former: readonly string[];
}

/** `absent`: the process had a network of its own with nothing in it; `sealed`: it was kept from its machine's. */
export const networkSchema = v.picklist(["absent", "sealed"]);

const answersSchema = v.record(v.string(), v.array(v.string()));

/** What it says: everything about it was looked at in that process itself. */
export const gateAnswerSchema = v.strictObject({
  /** What came of reading each of `former`. */
  files: v.array(v.picklist(["denied", "absent", "readable"])),
  network: networkSchema,
  /** Files and modules that were asked for and refused. */
  denied: v.array(v.string()),
  /** MiB of resident memory, of that process at most. */
  peakMB: v.pipe(v.number(), v.finite(), v.minValue(0)),
  /** By category, in the order of its prompts. */
  answers: answersSchema,
  /** Which adapter the router took for each. */
  adapters: v.record(v.string(), v.array(v.picklist(CATEGORIES))),
});
export type GateAnswer = v.InferOutput<typeof gateAnswerSchema>;
