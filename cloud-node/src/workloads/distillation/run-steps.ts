import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JsonObject } from "../../jobs/job.ts";
import { syncFolder } from "../../owner-file.ts";
import { takeLock } from "../../process-lock.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { DistillationError } from "./distillation-error.ts";
import { EVIDENCE_FOLDER, readEvidence, type StepEvidence, writeStepEvidence } from "./evidence.ts";
import { finishRemovals, readRemovals, removeForGood } from "./removal-journal.ts";
import { STAGES } from "./stages.ts";
import type { Step } from "./step.ts";
import { digestTree, syncTree } from "./tree-digest.ts";

/** Where outputs are made until they are whole. */
export const PARTIAL_FOLDER = "partial";

/** Does a step, here or elsewhere: fills `out`, an empty folder. */
export type StepRunner = (
  step: Step,
  root: string,
  out: string,
) => Promise<{ readonly facts: JsonObject; readonly measured: StepEvidence["measured"] }>;

/** What a run is told and asked as it goes. */
export interface RunEvents {
  /** Steps that are done at once, where none needs another; one unless given. */
  readonly atOnce?: number;
  /** A step begins, or is found done. */
  onStep(step: Step, isDone: boolean): void;
  /** Whether these may be taken away for good. */
  confirmRemoval(paths: readonly string[]): Promise<boolean>;
}

/**
 * Do every step that is not done yet, in order; those of a stage that do not need each other at once, where that is asked for. A
 * step is done when its evidence says that it was run on what its inputs are
 * now, with the options that it has now, and its output is what it was; whenever the process ends, the next one goes on.
 *
 * @param folder  of the run; everything is below it
 * @throws {DistillationError} `run-busy`, `changed-output`, `not-confirmed`; and as the steps
 */
export async function runSteps(
  folder: string,
  steps: readonly Step[],
  runStep: StepRunner,
  events: RunEvents,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const release = await takeLock(join(folder, "run"), (lock, cause) => {
    const remedy = `wait until it ends; delete ${lock} if there is none`;
    return new DistillationError("run-busy", `another process runs ${folder}`, remedy, { cause });
  });
  try {
    await finishRemovals(folder);
    for (const step of steps) if (step.isLock === true) await checkLock(folder, step);
    const record = recorder(folder, steps);
    for (const some of groupsOf(steps, events.atOnce ?? 1)) {
      const ends = await Promise.allSettled(some.map((step) => doStep(folder, step, runStep, record, events)));
      // What the others have done is kept.
      for (const end of ends) if (end.status === "rejected") throw end.reason;
    }
    await rm(join(folder, PARTIAL_FOLDER), { recursive: true, force: true });
  } finally {
    await release();
  }
}

/** Steps in their order, neighbours together that may be done at once. */
function groupsOf(steps: readonly Step[], most: number): Step[][] {
  const groups: Step[][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (last !== undefined && last.length < most && last.every((other) => areApart(other, step))) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

/** Of one stage, and neither needs the other, or takes anything away. */
function areApart(a: Step, b: Step): boolean {
  const isPlain = [a, b].every(({ isLock, removes }) => isLock !== true && removes === undefined);
  return isPlain && a.stage === b.stage && !b.inputs.includes(a.output);
}

async function doStep(
  folder: string,
  step: Step,
  runStep: StepRunner,
  record: Recorder,
  events: RunEvents,
): Promise<void> {
  await takeAway(folder, step, "before", events);
  const found = await foundDone(folder, step);
  events.onStep(step, found !== undefined);
  if (found === undefined) await record(step, await makeOutput(folder, step, runStep));
  await takeAway(folder, step, "after", events);
}

/** Puts a step into the evidence. */
type Recorder = (step: Step, found: StepEvidence) => Promise<void>;

/** Steps of one stage share a file: they are put into it one after the other. */
function recorder(folder: string, steps: readonly Step[]): Recorder {
  const order = steps.map(({ name }) => name);
  let last: Promise<void> = Promise.resolve();
  return (step, found) => {
    last = last.then(() => writeStepEvidence(folder, step.stage, found, order));
    return last;
  };
}

async function takeAway(folder: string, step: Step, when: "before" | "after", events: RunEvents): Promise<void> {
  if (step.removes?.when !== when) return;
  const { paths } = step.removes;
  const there = [];
  for (const path of paths) if ((await statIfThere(join(folder, path))) !== undefined) there.push(path);
  if (there.length === 0) return;
  if (step.removes.isAsked && !(await events.confirmRemoval(there))) {
    const problem = `${there.join(", ")} would be taken away for good, and nobody said yes`;
    throw new DistillationError("not-confirmed", problem, "answer yes, or give --yes");
  }
  await removeForGood(folder, there, step.name);
}

/**
 * What was locked is as it was.
 *
 * @throws {DistillationError} `changed-file`, with the name of the file that is not
 */
async function checkLock(folder: string, step: Step): Promise<void> {
  const evidence = (await readEvidence(folder, step.stage))?.steps.find(({ name }) => name === step.name);
  if (evidence === undefined) return;
  const remedy = "put it back as it was, or run in a new folder";
  const changed = async (input: string) => (await digestNow(folder, input)) !== evidence.inputs[input];
  for (const input of new Set([...step.inputs, ...Object.keys(evidence.inputs)])) {
    if (!(await changed(input))) continue;
    const isGone = (await statIfThere(join(folder, input))) === undefined;
    const problem = `${join(folder, input)} ${isGone ? "is not there any more" : "was changed"} since stage 0 locked it`;
    throw new DistillationError("changed-file", problem, remedy);
  }
}

/**
 * What evidence says of a step that need not be run; undefined: it must be.
 *
 * @throws {DistillationError} `changed-output` where somebody else has changed what it made
 */
export async function foundDone(folder: string, step: Step): Promise<StepEvidence | undefined> {
  const evidence = (await readEvidence(folder, step.stage))?.steps.find(({ name }) => name === step.name);
  if (evidence === undefined) return undefined;
  const inputs = await inputDigests(folder, step);
  const isSame =
    JSON.stringify(evidence.options) === JSON.stringify(step.options) &&
    JSON.stringify(evidence.inputs) === JSON.stringify(inputs);
  if (!isSame) return undefined;
  const now = await digestNow(folder, step.output);
  if (now === evidence.output.sha256) return evidence;
  if (now === undefined) return undefined;
  const problem = `${join(folder, step.output)} is not what ${step.name} made`;
  throw new DistillationError("changed-output", problem, "put it back, or delete it to have it made again");
}

/** The inputs of a step as they are, or were when they were taken away. */
async function inputDigests(folder: string, step: Step): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const input of step.inputs) {
    const now = await digestNow(folder, input);
    if (now === undefined) {
      const problem = `${join(folder, input)} is not there, and ${step.name} needs it`;
      throw new DistillationError("changed-output", problem, "put it back, or run in a new folder");
    }
    digests[input] = now;
  }
  return digests;
}

async function digestNow(folder: string, path: string): Promise<string | undefined> {
  if ((await statIfThere(join(folder, path))) !== undefined) return (await digestTree(join(folder, path))).sha256;
  return (await readRemovals(folder)).find((removal) => removal.path === path)?.sha256;
}

/** @returns what is to be put into the evidence */
async function makeOutput(folder: string, step: Step, runStep: StepRunner): Promise<StepEvidence> {
  const inputs = await inputDigests(folder, step);
  for (const input of step.inputs) {
    if ((await statIfThere(join(folder, input))) !== undefined) continue;
    const problem = `${input} was taken away, and ${step.name} would need it`;
    throw new DistillationError("changed-output", problem, "run in a new folder");
  }
  const [out, place] = [join(folder, PARTIAL_FOLDER, step.name), join(folder, step.output)];
  await refuseForeign(folder, step);
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const { facts, measured } = await runStep(step, folder, out);
  await syncTree(out);
  const output = await digestTree(out);
  await mkdir(dirname(place), { recursive: true });
  await rm(place, { recursive: true, force: true });
  await rename(out, place);
  await syncFolder(dirname(place));
  await mkdir(join(folder, EVIDENCE_FOLDER), { recursive: true });
  return {
    ...{ name: step.name, options: step.options, inputs },
    ...{ output: { path: step.output, sha256: output.sha256, bytes: output.bytes, files: [...output.files] } },
    ...{ facts, measured },
  };
}

/**
 * What lies where a step's output belongs, and no run has begun to make, is somebody's own.
 *
 * @throws {DistillationError} `changed-output`
 */
async function refuseForeign(folder: string, { stage, name, output }: Step): Promise<void> {
  const place = join(folder, output);
  if ((await statIfThere(place)) === undefined) return;
  if ((await statIfThere(join(folder, PARTIAL_FOLDER))) !== undefined) return;
  if ((await readEvidence(folder, stage))?.steps.some((step) => step.name === name)) return;
  const remedy = "move it elsewhere; a teacher is given with taxonomy.CATEGORY.from";
  throw new DistillationError("changed-output", `${place} is there, and ${name} has not made it`, remedy);
}

/** Steps in the order of their stages. */
export function inStageOrder(steps: readonly Step[]): Step[] {
  const place = (step: Step) => STAGES.findIndex(({ name }) => name === step.stage);
  return steps.toSorted((a, b) => place(a) - place(b));
}
