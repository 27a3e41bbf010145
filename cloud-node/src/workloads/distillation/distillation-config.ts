import * as v from "valibot";
import { parse } from "yaml";
import { CATEGORIES } from "./capability.ts";
import { DistillationError } from "./distillation-error.ts";
import { jsonObjectSchema } from "./evidence.ts";
import { pathBelow } from "./run-place.ts";

/** What a run is done by, in its folder. */
export const CONFIG_FILE = "distill.yaml";
/** Folder of a run that has its teachers, until they are taken away. */
export const TEACHERS_FOLDER = "teachers";
const MOST_BYTES = 65_536;
const MOST_PATH = 4096;

const count = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
/** Below the run's folder, so that a run can be moved, and sent to a worker. */
const dataPath = pathBelow("the run's folder");

/** What is known of a category of the registry: how its capability is asked for, and where its teacher comes from. */
const capabilitySchema = v.strictObject({
  /** Held-out prompts with their answers, JSON Lines; generated where it is left out. */
  benchmark: v.exactOptional(dataPath),
  /** Folder of a teacher that is there, absolute or from the run's; it is copied. Where it is left out, one is made. */
  from: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(MOST_PATH))),
});

const limitsSchema = v.strictObject({
  /** Resident memory of a step, MiB. */
  memoryMB: v.optional(count(64, 2 ** 20), 2048),
  /** Rank of one adapter: MAX_RANK_PER_CAPABILITY. */
  maxRank: v.exactOptional(count(1, 64)),
  /** The whole bundle, KiB. */
  bundleKB: v.optional(count(1, 2 ** 30), 4096),
  /** Of its benchmark, what a teacher must answer exactly: less is not worth keeping. */
  teacher: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 0.5),
  /** Of a teacher's exact answers that the student must have. */
  retention: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 0.97),
  /** Student's parameters for each of the teachers'. */
  studentShare: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1 / 3),
  /** How often a capability that fails the gate is taught again. */
  retries: v.optional(count(0, 10), 2),
});

const configSchema = v.strictObject({
  /** Defaults of all that follows. */
  preset: v.optional(v.picklist(["usual", "quick"]), "usual"),
  /** One number that all chance comes from. */
  seed: v.optional(count(0, 2 ** 32 - 1), 42),
  /** How teachers' weights are held while they teach. */
  precision: v.optional(v.picklist(["float32", "int8", "nf4"]), "int8"),
  /** By the registry's categories. */
  taxonomy: v.optional(v.record(v.picklist(CATEGORIES), capabilitySchema), {}),
  limits: v.optional(limitsSchema, {}),
  /** Held-out prompts of each capability; the preset's unless given. */
  prompts: v.exactOptional(count(20, 100_000)),
  /** Over the preset's: of teachers that are made, of profiles, of the student, of its training. */
  teacher: v.optional(jsonObjectSchema, {}),
  profile: v.optional(jsonObjectSchema, {}),
  student: v.optional(jsonObjectSchema, {}),
  distil: v.optional(jsonObjectSchema, {}),
});

/** As {@link parseConfig} takes it, with all defaults in. */
export type DistillationConfig = v.InferOutput<typeof configSchema>;
export type Precision = DistillationConfig["precision"];

/**
 * A configuration from YAML or JSON.
 *
 * @param file  its path, for errors
 * @throws {DistillationError} `bad-config`, with the field's name
 */
export function parseConfig(text: string, file: string): DistillationConfig {
  if (text.length > MOST_BYTES) throw bad(file, `it has ${text.length} characters, and may have ${MOST_BYTES}`);
  let json: unknown;
  try {
    // Aliases are what makes a small text a large object.
    json = parse(text, { maxAliasCount: 0 }) ?? {};
  } catch (cause) {
    const [problem = ""] = cause instanceof Error ? cause.message.split("\n") : [];
    throw bad(file, `it is no YAML: ${problem}`, cause);
  }
  const { output, issues } = v.safeParse(configSchema, json);
  if (issues === undefined) return output;
  const [issue] = issues;
  const isUnknown = issue.type === "strict_object" && issue.expected === "never";
  throw bad(file, `${v.getDotPath(issue) ?? "all of it"}: ${isUnknown ? "there is no such option" : issue.message}`);
}

function bad(file: string, problem: string, cause?: unknown): DistillationError {
  return new DistillationError("bad-config", `${file}: ${problem}`, "see the guide for all options", { cause });
}
