import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JsonObject } from "../../jobs/job.ts";
import { syncFolder } from "../../owner-file.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { DistillationError } from "./distillation-error.ts";
import { readChecked, readStepEvidence, type StepEvidence, stepSchema, writeJson } from "./evidence.ts";
import { readRemovals } from "./removal-journal.ts";
import { discard, PARTIAL_FOLDER, placeIn } from "./run-place.ts";
import type { Step } from "./step.ts";
import { inputDigests } from "./step-inputs.ts";
import { digestTree, syncTree } from "./tree-digest.ts";

/** Does a step, here or elsewhere: fills `out`, an empty folder. */
export type StepRunner = (
  step: Step,
  root: string,
  out: string,
) => Promise<{ readonly facts: JsonObject; readonly measured: StepEvidence["measured"] }>;

/** Puts a step into the evidence. */
export type Recorder = (step: Step, found: StepEvidence) => Promise<void>;

/**
 * Do a step, and put what it made where it belongs, with evidence of it.
 *
 * @throws {DistillationError} `changed-output` where something is there that no step made: it is somebody's; and as the step
 */
export async function makeOutput(folder: string, step: Step, runStep: StepRunner, record: Recorder): Promise<void> {
  await refuseRemoved(folder, step);
  const inputs = await inputDigests(folder, step);
  const [out, note] = [await placeIn(folder, `${PARTIAL_FOLDER}/${step.name}`), await notePlace(folder, step)];
  const before = await formerOutput(folder, step);
  if (before !== undefined && isOf(before, step, inputs)) {
    // It has its name, and nothing but its evidence is missing.
    await record(step, before);
    return await rm(note, { force: true });
  }
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const { facts, measured } = await runStep(step, folder, out);
  await syncTree(out);
  const { sha256, bytes, files } = await digestTree(out);
  const evidence: StepEvidence = {
    ...{ name: step.name, options: step.options, inputs },
    ...{ output: { path: step.output, sha256, bytes, files: [...files] }, facts, measured },
  };
  // Written before the output has its name: by this, a run that dies between the two knows it again for its own.
  await writeJson(note, evidence);
  if (before !== undefined) await discard(folder, step.output);
  const place = await placeIn(folder, step.output);
  await mkdir(dirname(place), { recursive: true });
  await rename(out, place);
  await syncFolder(dirname(place));
  await record(step, evidence);
  await rm(note);
}

/** What a step was run on, is what it would be run on now. */
export function isOf(evidence: StepEvidence, step: Step, inputs: Readonly<Record<string, string>>): boolean {
  return (
    JSON.stringify(evidence.options) === JSON.stringify(step.options) &&
    JSON.stringify(evidence.inputs) === JSON.stringify(inputs)
  );
}

/** @throws {DistillationError} `changed-output`: what is gone for good is neither read nor made again */
async function refuseRemoved(folder: string, step: Step): Promise<void> {
  const removal = (await readRemovals(folder)).find(({ path }) => [...step.inputs, step.output].includes(path));
  if (removal === undefined) return;
  const use = removal.path === step.output ? "make" : "need";
  const problem = `${join(folder, removal.path)} was taken away, and ${step.name} would ${use} it`;
  throw new DistillationError("changed-output", problem, "run in a new folder");
}

/** What says that the run itself made what is there; undefined where nothing is. */
async function formerOutput(folder: string, step: Step): Promise<StepEvidence | undefined> {
  const place = await placeIn(folder, step.output);
  if ((await statIfThere(place)) === undefined) return undefined;
  const { sha256 } = await digestTree(place);
  const note = await notePlace(folder, step);
  const said = [await readStepEvidence(folder, step)];
  if ((await statIfThere(note)) !== undefined) said.push(await readChecked(note, stepSchema, "bad-evidence"));
  const own = said.findLast((each) => each?.output.sha256 === sha256);
  if (own !== undefined) return own;
  const problem = `${place} is there already, and ${step.name} did not make it`;
  throw new DistillationError(
    "changed-output",
    problem,
    "move it away; a teacher of your own is given with taxonomy.CATEGORY.from",
  );
}

async function notePlace(folder: string, step: Step): Promise<string> {
  return await placeIn(folder, `${PARTIAL_FOLDER}/${step.name}.json`);
}
