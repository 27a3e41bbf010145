import * as v from "valibot";

/** What the process of the gate is asked, as its one argument. */
export interface GateRequest {
  /** Folder of the student; the only model that it can read. */
  readonly student: string;
  /** Files of prompts, by category. */
  readonly benchmarks: { readonly [category: string]: string };
  /** Where teachers were. */
  readonly former: readonly string[];
}

const answersSchema = v.record(v.string(), v.array(v.string()));

/** What it says: everything about it was looked at in that process itself. */
export const gateAnswerSchema = v.strictObject({
  /** What came of reading each of `former`. */
  files: v.array(v.picklist(["denied", "absent", "readable"])),
  network: v.picklist(["absent", "sealed"]),
  /** Files that were asked for and refused. */
  denied: v.array(v.string()),
  /** By category, in the order of its prompts. */
  answers: answersSchema,
  /** Which adapter the router took for each. */
  adapters: answersSchema,
});
export type GateAnswer = v.InferOutput<typeof gateAnswerSchema>;
