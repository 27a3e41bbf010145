import { join } from "node:path";
import { statIfThere } from "../language-model/stat-if-there.ts";
import type { CheckedBundle } from "./check-bundle.ts";
import { EVIDENCE_FOLDER, readStepEvidence, type StepEvidence } from "./evidence.ts";
import { type Finding, unproven } from "./finding.ts";
import type { GateAnswer } from "./gate-messages.ts";
import { readRemovals } from "./removal-journal.ts";
import { placeIn } from "./run-place.ts";
import type { RunPlan } from "./run-plan.ts";
import { stepsOf } from "./run-stages.ts";
import { digestNow } from "./step-inputs.ts";
import { digestTree, treeOf } from "./tree-digest.ts";
import {
  checkArchive,
  checkBenchmarks,
  checkBundleOfRun,
  checkGate,
  checkScores,
  measureAgain,
} from "./verify-measures.ts";

/** Whether a folder is a run; else it is taken for a bundle. */
export async function isRunFolder(folder: string): Promise<boolean> {
  return (await statIfThere(join(folder, EVIDENCE_FOLDER))) !== undefined;
}

/** What came of checking a run, or a bundle alone. */
export interface Verified {
  readonly findings: readonly Finding[];
  /** Of the process that asked the bundle again; null where none did. */
  readonly network: GateAnswer["network"] | null;
  readonly bundle: CheckedBundle;
}

/**
 * Check again everything that a whole run claims, from what it left.
 *
 * @param isMeasured  whether the bundle is asked all benchmarks again, in a process of its own
 * @throws {DistillationError} `bad-evidence`, `bad-bundle`, `gate-failed` with the claim that does not hold
 */
export async function verifyRun(
  folder: string,
  plan: RunPlan,
  isMeasured: boolean,
  signal: AbortSignal,
): Promise<Verified> {
  const evidence = await allEvidence(folder, plan);
  const findings = [
    checkChain(evidence),
    await checkOutputs(folder, evidence),
    await checkLocked(folder, evidence),
    await checkGone(folder, plan),
    await checkBenchmarks(folder, plan),
    await checkScores(folder, plan, evidence),
    await checkGate(folder, plan, evidence),
    checkArchive(plan, evidence),
  ];
  const { finding: ofBundle, bundle } = await checkBundleOfRun(folder, plan, evidence);
  if (!isMeasured) return { findings: [...findings, ofBundle], network: null, bundle };
  const { finding, network } = await measureAgain(folder, plan, bundle.report, signal);
  return { findings: [...findings, ofBundle, finding], network, bundle };
}

/** What every step says, in order. */
async function allEvidence(folder: string, plan: RunPlan): Promise<StepEvidence[]> {
  const found: StepEvidence[] = [];
  for (const step of stepsOf(plan)) {
    const evidence = await readStepEvidence(folder, step);
    if (evidence === undefined) throw unproven(`${step.name} has left no evidence`);
    if (JSON.stringify(evidence.options) !== JSON.stringify(step.options)) {
      throw unproven(`${step.name} was run with other options than the configuration has`);
    }
    const missing = step.inputs.find((input) => evidence.inputs[input] === undefined);
    if (missing !== undefined) throw unproven(`${step.name} does not say which ${missing} it read`);
    if (evidence.output.path !== step.output) throw unproven(`${step.name} made another output than ${step.output}`);
    found.push(evidence);
  }
  return found;
}

/** What a step read is what another made, or stage 0 locked. */
function checkChain(evidence: readonly StepEvidence[]): Finding {
  const known = new Map(Object.entries(lockedOf(evidence)));
  for (const { output } of evidence) known.set(output.path, output.sha256);
  let checked = 0;
  for (const { name, inputs } of evidence) {
    for (const [input, sha256] of Object.entries(inputs)) {
      if (known.get(input) !== sha256) throw unproven(`${name} read another ${input} than the one that was made`);
      checked += 1;
    }
  }
  return { claim: "every step read what the steps before it made", checked };
}

function lockedOf(evidence: readonly StepEvidence[]): StepEvidence["inputs"] {
  return evidence.find(({ name }) => name === "lock")?.inputs ?? {};
}

/** What is there is what was made, and what is not there was taken away as such. */
async function checkOutputs(folder: string, evidence: readonly StepEvidence[]): Promise<Finding> {
  const removals = await readRemovals(folder);
  for (const { name, output } of evidence) {
    const { path, sha256, files } = output;
    if (treeOf(files).sha256 !== sha256) throw unproven(`the list of files of ${name} is not what its SHA-256 is of`);
    const place = await placeIn(folder, path);
    if ((await statIfThere(place)) === undefined) {
      const removal = removals.find((each) => each.path === path && each.state === "done");
      if (removal === undefined) throw unproven(`${path}, which ${name} made, is gone, and nobody took it away`);
      if (removal.sha256 !== sha256) throw unproven(`${path} was another one when it was taken away`);
    } else if ((await digestTree(place)).sha256 !== sha256) {
      throw unproven(`${path} is not what ${name} made`);
    }
  }
  return { claim: "every output is what its step made, or was taken away as that", checked: evidence.length };
}

async function checkLocked(folder: string, evidence: readonly StepEvidence[]): Promise<Finding> {
  const locked = Object.entries(lockedOf(evidence));
  for (const [path, sha256] of locked) {
    if ((await digestNow(folder, path)) !== sha256) throw unproven(`${path} was changed since stage 0 locked it`);
  }
  return { claim: "configuration, registry and data are as they were locked", checked: locked.length };
}

async function checkGone(folder: string, { teachers }: RunPlan): Promise<Finding> {
  const removals = await readRemovals(folder);
  for (const { folder: path } of teachers) {
    if ((await statIfThere(await placeIn(folder, path))) !== undefined) {
      throw unproven(`the teacher ${path} is still there`);
    }
    if (!removals.some((removal) => removal.path === path && removal.state === "done"))
      throw unproven(`nobody took the teacher ${path} away`);
  }
  return { claim: "teachers are gone", checked: teachers.length };
}
