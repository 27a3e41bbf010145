import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { InvariantError } from "../../invariant-error.ts";
import { takeLock } from "../../process-lock.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { DistillationError } from "./distillation-error.ts";
import { readEvidence, readStepEvidence, type StepEvidence, writeStepEvidence } from "./evidence.ts";
import { readRemovals, refuseReturned, removeForGood } from "./removal-journal.ts";
import { emptyTrash, PARTIAL_FOLDER, placeIn } from "./run-place.ts";
import { STAGES } from "./stages.ts";
import type { Step } from "./step.ts";
import { digestNow, inputDigests } from "./step-inputs.ts";
import { isOf, makeOutput, type Recorder, type StepRunner } from "./step-output.ts";

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
 * Do every step that is not done yet, in order; those of a stage that do not need each other at once, where that is asked for.
 * A step is done when its evidence says that it was run on what its inputs are now, with the options that it has now, and its
 * output is what it was; whenever the process ends, the next one goes on.
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
    await emptyTrash(folder);
    for (const step of steps) if (step.isLock === true) await checkLock(folder, step);
    await refuseReturned(folder);
    const record = recorder(folder, steps);
    for (const some of groupsOf(steps, events.atOnce ?? 1)) {
      const ends = await Promise.allSettled(some.map((step) => doStep(folder, steps, step, runStep, record, events)));
      // What the others have done is kept.
      for (const end of ends) if (end.status === "rejected") throw end.reason;
    }
    await rm(await placeIn(folder, PARTIAL_FOLDER), { recursive: true, force: true });
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
  steps: readonly Step[],
  step: Step,
  runStep: StepRunner,
  record: Recorder,
  events: RunEvents,
): Promise<void> {
  await takeAway(folder, steps, step, "before", events);
  const found = await foundDone(folder, step);
  events.onStep(step, found !== undefined);
  if (found === undefined) await makeOutput(folder, step, runStep, record);
  await takeAway(folder, steps, step, "after", events);
}

/** Steps of one stage share a file: they are put into it one after the other. */
function recorder(folder: string, steps: readonly Step[]): Recorder {
  const order = steps.map(({ name }) => name);
  let last: Promise<void> = Promise.resolve();
  return (step, found) => {
    // One that cannot be written keeps none of the others from it.
    last = last.catch(() => {}).then(() => writeStepEvidence(folder, step.stage, found, order));
    return last;
  };
}

async function takeAway(
  folder: string,
  steps: readonly Step[],
  step: Step,
  when: "before" | "after",
  events: RunEvents,
): Promise<void> {
  if (step.removes?.when !== when) return;
  const journal = await readRemovals(folder);
  const known = await knownDigests(folder, steps);
  const removed = new Map<string, string>();
  const asked: string[] = [];
  for (const path of step.removes.paths) {
    const sha256 = known.get(path);
    if (sha256 === undefined) throw new InvariantError(`distillation: no step made ${path}`);
    removed.set(path, sha256);
    if (journal.some((removal) => removal.path === path)) continue;
    if ((await statIfThere(await placeIn(folder, path))) !== undefined) asked.push(path);
  }
  if (asked.length > 0 && step.removes.isAsked && !(await events.confirmRemoval(asked))) {
    const problem = `${asked.join(", ")} would be taken away for good, and nobody said yes`;
    throw new DistillationError("not-confirmed", problem, "answer yes, or give --yes");
  }
  await removeForGood(folder, removed, step.name);
}

/** What steps made, as it was then: nothing else is taken away. */
async function knownDigests(folder: string, steps: readonly Step[]): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  for (const stage of new Set(steps.map((step) => step.stage))) {
    for (const { output } of (await readEvidence(folder, stage))?.steps ?? []) known.set(output.path, output.sha256);
  }
  return known;
}

/**
 * What was locked is as it was.
 *
 * @throws {DistillationError} `changed-file`, with the name of the file that is not
 */
async function checkLock(folder: string, step: Step): Promise<void> {
  const evidence = await readStepEvidence(folder, step);
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
  const evidence = await readStepEvidence(folder, step);
  if (evidence === undefined) return undefined;
  if (!isOf(evidence, step, await inputDigests(folder, step))) return undefined;
  const now = await digestNow(folder, step.output);
  if (now === evidence.output.sha256) return evidence;
  if (now === undefined) return undefined;
  const problem = `${join(folder, step.output)} is not what ${step.name} made`;
  throw new DistillationError("changed-output", problem, "put it back, or delete it to have it made again");
}

/** Steps in the order of their stages. */
export function inStageOrder(steps: readonly Step[]): Step[] {
  const place = (step: Step) => STAGES.findIndex(({ name }) => name === step.stage);
  return steps.toSorted((a, b) => place(a) - place(b));
}
