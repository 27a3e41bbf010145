import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JsonObject } from "../../jobs/job.ts";
import { syncFolder } from "../../owner-file.ts";
import { takeLock } from "../../process-lock.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { DistillationError } from "./distillation-error.ts";
import { readEvidence, type StepEvidence, writeStepEvidence } from "./evidence.ts";
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
  /** A step begins, or is found done. */
  onStep(step: Step, isDone: boolean): void;
  /** Whether these may be taken away for good. */
  confirmRemoval(paths: readonly string[]): Promise<boolean>;
}

/**
 * Do every step that is not done yet, in order. A step is done when its evidence says that it was run on what its inputs are
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
    for (const step of steps) {
      await takeAway(folder, step, "before", events);
      const found = await foundDone(folder, step);
      events.onStep(step, found !== undefined);
      if (found === undefined) await makeOutput(folder, step, runStep);
      await takeAway(folder, step, "after", events);
    }
    await rm(join(folder, PARTIAL_FOLDER), { recursive: true, force: true });
  } finally {
    await release();
  }
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

async function makeOutput(folder: string, step: Step, runStep: StepRunner): Promise<void> {
  const inputs = await inputDigests(folder, step);
  for (const input of step.inputs) {
    if ((await statIfThere(join(folder, input))) !== undefined) continue;
    const problem = `${input} was taken away, and ${step.name} would need it`;
    throw new DistillationError("changed-output", problem, "run in a new folder");
  }
  const [out, place] = [join(folder, PARTIAL_FOLDER, step.name), join(folder, step.output)];
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const { facts, measured } = await runStep(step, folder, out);
  await syncTree(out);
  const output = await digestTree(out);
  await mkdir(dirname(place), { recursive: true });
  await rm(place, { recursive: true, force: true });
  await rename(out, place);
  await syncFolder(dirname(place));
  await mkdir(join(folder, "evidence"), { recursive: true });
  await writeStepEvidence(folder, step.stage, {
    ...{ name: step.name, options: step.options, inputs },
    ...{ output: { path: step.output, sha256: output.sha256, bytes: output.bytes, files: [...output.files] } },
    ...{ facts, measured },
  });
}

/** Steps in the order of their stages. */
export function inStageOrder(steps: readonly Step[]): Step[] {
  const place = (step: Step) => STAGES.findIndex(({ name }) => name === step.stage);
  return steps.toSorted((a, b) => place(a) - place(b));
}
