import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import type { Json, JsonObject } from "../../jobs/job.ts";
import { replaceFile } from "../language-model/replace-file.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { DistillationError } from "./distillation-error.ts";
import { networkSchema } from "./gate-messages.ts";
import { placeIn } from "./run-place.ts";
import { STAGES, type StageName } from "./stages.ts";

/** Folder of a run that has the evidence of its stages, one file each. */
export const EVIDENCE_FOLDER = "evidence";
const FORMAT = "lockstep-distillation-evidence";
const VERSION = 1;

export const sha256Schema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits"));
const bytesSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const amountSchema = v.pipe(v.number(), v.finite(), v.minValue(0));
const jsonSchema: v.GenericSchema<Json> = v.lazy(() =>
  v.union([v.null(), v.boolean(), v.number(), v.string(), v.array(jsonSchema), v.record(v.string(), jsonSchema)]),
);
export const jsonObjectSchema: v.GenericSchema<JsonObject> = v.record(v.string(), jsonSchema);

/** A file, as manifests and evidence list it. */
export const fileSchema = v.strictObject({ path: v.string(), bytes: bytesSchema, sha256: sha256Schema });

/** What one step read, made and found. */
export const stepSchema = v.strictObject({
  name: v.string(),
  options: jsonObjectSchema,
  /** What was read, by its path: SHA-256 of the tree. */
  inputs: v.record(v.string(), sha256Schema),
  output: v.strictObject({ path: v.string(), sha256: sha256Schema, bytes: bytesSchema, files: v.array(fileSchema) }),
  facts: jsonObjectSchema,
  /** Of this one run of it: differs from machine to machine, and nothing is derived from it. */
  measured: v.strictObject({
    ...{ seconds: amountSchema, peakMB: amountSchema },
    /** Of the process that asked a student alone, where one did. */
    network: v.exactOptional(networkSchema),
  }),
});

const evidenceSchema = v.strictObject({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  stage: v.picklist(STAGES.map(({ number }) => number)),
  name: v.picklist(STAGES.map(({ name }) => name)),
  steps: v.array(stepSchema),
});

/** What one step read, made and found. */
export type StepEvidence = v.InferOutput<typeof stepSchema>;
/** What one stage leaves. */
export type StageEvidence = v.InferOutput<typeof evidenceSchema>;

/** Below a run's folder. */
export function evidencePath(stage: StageName): string {
  const number = STAGES.findIndex(({ name }) => name === stage) - 1;
  return `${EVIDENCE_FOLDER}/${number}-${stage}.json`;
}

/**
 * The evidence of a stage; undefined where it has not begun.
 *
 * @throws {DistillationError} `bad-evidence`
 */
export async function readEvidence(folder: string, stage: StageName): Promise<StageEvidence | undefined> {
  const path = await placeIn(folder, evidencePath(stage));
  if ((await statIfThere(path)) === undefined) return undefined;
  const evidence = await readChecked(path, evidenceSchema, "bad-evidence");
  if (evidence.name === stage && STAGES.some(({ number, name }) => number === evidence.stage && name === stage)) {
    return evidence;
  }
  throw new DistillationError("bad-evidence", `${path} is of stage ${evidence.name}`, "take another copy of the run");
}

/** The evidence of one step; undefined where it was not done. @throws {DistillationError} `bad-evidence` */
export async function readStepEvidence(
  folder: string,
  { stage, name }: { readonly stage: StageName; readonly name: string },
): Promise<StepEvidence | undefined> {
  return (await readEvidence(folder, stage))?.steps.find((step) => step.name === name);
}

/**
 * Put a step into its stage's evidence, in place of what an earlier run of it left.
 *
 * @param order  names of steps: whichever ends first, the same evidence is the same bytes
 */
export async function writeStepEvidence(
  folder: string,
  stage: StageName,
  found: StepEvidence,
  order: readonly string[],
): Promise<void> {
  // What went through a job comes back with its fields in another order: the same facts are the same bytes.
  const step = { ...found, facts: inOrder(found.facts) as JsonObject };
  const before = (await readEvidence(folder, stage))?.steps ?? [];
  const others = before.filter(({ name }) => name !== step.name);
  const place = ({ name }: StepEvidence) => order.indexOf(name);
  const steps = [...others, step].sort((a, b) => place(a) - place(b));
  const number = STAGES.find(({ name }) => name === stage)?.number;
  const path = await placeIn(folder, evidencePath(stage));
  await mkdir(dirname(path), { recursive: true });
  await writeJson(path, {
    ...{ format: FORMAT, version: VERSION, stage: number, name: stage, steps },
  });
}

/** The same, with fields by their names. */
function inOrder(json: Json): Json {
  if (Array.isArray(json)) return json.map(inOrder);
  if (typeof json !== "object" || json === null) return json;
  const entries = Object.entries(json as JsonObject).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, value]) => [name, inOrder(value)]));
}

/** A JSON file of a known shape. @throws {DistillationError} with the code, the path and the field that is wrong */
export async function readChecked<Schema extends v.GenericSchema>(
  path: string,
  schema: Schema,
  code: "bad-evidence" | "bad-bundle" | "bad-student" | "bad-registry",
): Promise<v.InferOutput<Schema>> {
  const remedy = "take another copy of it, or run its stage again";
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
    if (!isAbsent && !(cause instanceof SyntaxError)) throw cause;
    throw new DistillationError(code, `${path} is ${isAbsent ? "not there" : "no JSON"}`, remedy, { cause });
  }
  const { output, issues } = v.safeParse(schema, json);
  if (issues === undefined) return output;
  const [issue] = issues;
  throw new DistillationError(code, `${path}, ${v.getDotPath(issue) ?? "all of it"}: ${issue.message}`, remedy);
}

/** The same object is the same bytes. @throws {LanguageModelError} `no-room` */
export async function writeJson(path: string, json: object): Promise<void> {
  await replaceFile(path, [`${JSON.stringify(json, undefined, 2)}\n`]);
}
