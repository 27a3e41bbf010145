import * as v from "valibot";
import type { JsonObject } from "../../jobs/job.ts";
import { parameterCount } from "../language-model/parameters.ts";
import { CATEGORIES, type Category } from "./capability.ts";
import { CONFIG_FILE, type DistillationConfig, TEACHERS_FOLDER } from "./distillation-config.ts";
import { DistillationError } from "./distillation-error.ts";
import { llamaOf } from "./llama.ts";
import { distilSchema, profileSchema, studentSchema, teacherSchema } from "./options.ts";
import { PRESETS } from "./presets.ts";
import { checkCount, REGISTRY_FILE, type RegistryEntry } from "./registry-csv.ts";

/** One teacher of a run. */
export interface PlannedTeacher extends RegistryEntry {
  readonly category: Category;
  /** Below the run's folder. */
  readonly folder: string;
  /** Folder that it is copied from, as the configuration says; undefined: it is made. */
  readonly from: string | undefined;
  /** Held-out prompts below the run's folder; generated where there is none. */
  readonly benchmark: string | undefined;
}

/** Everything that the steps of a run are made from: the same for everybody who has its configuration and its registry. */
export interface RunPlan {
  readonly config: DistillationConfig;
  readonly teachers: readonly PlannedTeacher[];
  readonly prompts: number;
  readonly teacher: v.InferOutput<typeof teacherSchema>;
  readonly profile: v.InferOutput<typeof profileSchema>;
  readonly student: v.InferOutput<typeof studentSchema>;
  readonly distil: v.InferOutput<typeof distilSchema>;
}

/**
 * Settle a run: defaults of its preset, under what its configuration says.
 *
 * @throws {DistillationError} `bad-config`, `bad-registry` with the place
 */
export function planRun(config: DistillationConfig, entries: readonly RegistryEntry[]): RunPlan {
  const { preset, precision, limits, taxonomy } = config;
  const usual = PRESETS[preset];
  const teachers = entries.map((entry): PlannedTeacher => {
    const category = CATEGORIES.find((known) => known === entry.category);
    if (category === undefined) {
      const problem = `${REGISTRY_FILE}:${entry.line}:3: no benchmark is bound to ${JSON.stringify(entry.category)}`;
      throw new DistillationError("bad-registry", problem, `choose of ${CATEGORIES.join(", ")}`);
    }
    const { from, benchmark } = taxonomy[category] ?? {};
    return { ...entry, category, from, benchmark, folder: `${TEACHERS_FOLDER}/${entry.model}` };
  });
  const idle = Object.keys(taxonomy).find((category) => !teachers.some((teacher) => teacher.category === category));
  if (idle !== undefined) throw badConfig(`taxonomy.${idle}: the registry has no teacher of it`);
  refuseTwice(config);
  const made = teacherOptions(config);
  for (const each of teachers) if (each.from === undefined) checkCount(each, parameterCount(llamaOf(made.size)));
  const maxRank = limits.maxRank === undefined ? {} : { maxRank: limits.maxRank };
  return {
    ...{ config, teachers, prompts: config.prompts ?? usual.prompts },
    teacher: made,
    profile: settled("profile", profileSchema, { ...usual.profile, ...maxRank, precision }, config.profile),
    student: settled("student", studentSchema, { ...usual.student, largestShare: limits.studentShare }, config.student),
    distil: settled("distil", distilSchema, usual.distil, config.distil),
  };
}

/** How teachers are made, where none is given. @throws {DistillationError} `bad-config` */
export function teacherOptions({ preset, teacher }: DistillationConfig): RunPlan["teacher"] {
  return settled("teacher", teacherSchema, PRESETS[preset].teacher, teacher);
}

/** What is a limit, or said for the whole run, is said in one place: another would go over it. */
const SAID_ELSEWHERE = [
  ["profile", "maxRank", "limits.maxRank"],
  ["profile", "precision", "precision"],
  ["student", "largestShare", "limits.studentShare"],
] as const;

function refuseTwice(config: DistillationConfig): void {
  const twice = SAID_ELSEWHERE.find(([part, field]) => Object.hasOwn(config[part], field));
  if (twice !== undefined) throw badConfig(`${twice[0]}.${twice[1]}: say ${twice[2]}`);
}

/** Files that may not change once a run has begun, and copies of given teachers among them. */
export function lockedPaths({ teachers }: RunPlan): string[] {
  const data = teachers.flatMap(({ benchmark }) => (benchmark === undefined ? [] : [benchmark]));
  const given = teachers.filter(({ from }) => from !== undefined).map(({ folder }) => folder);
  return [CONFIG_FILE, REGISTRY_FILE, ...new Set(data), ...given];
}

/** Options as a step declares them: what is left out is not there. */
export function asJson(options: object): JsonObject {
  return JSON.parse(JSON.stringify(options)) as JsonObject;
}

function settled<Schema extends v.GenericSchema>(
  name: string,
  schema: Schema,
  usual: object,
  own: JsonObject,
): v.InferOutput<Schema> {
  const { output, issues } = v.safeParse(schema, merged(asJson(usual), own));
  if (issues === undefined) return output;
  const path = v.getDotPath(issues[0]);
  throw badConfig(`${path === null ? name : `${name}.${path}`}: ${issues[0].message}`);
}

function merged(below: JsonObject, above: JsonObject): JsonObject {
  const both: { [name: string]: JsonObject[string] } = { ...below };
  for (const [name, value] of Object.entries(above)) {
    const before = Object.hasOwn(below, name) ? below[name] : undefined;
    both[name] = isTable(before) && isTable(value) ? merged(before, value) : value;
  }
  return both;
}

function isTable(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function badConfig(problem: string): DistillationError {
  return new DistillationError("bad-config", `${CONFIG_FILE}: ${problem}`, "see the guide for all options");
}
