import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { ARCHIVE_FOLDER, BUNDLE_FOLDER } from "./bundle-steps.ts";
import { DistillationError } from "./distillation-error.ts";
import { EVIDENCE_FOLDER, readChecked, readEvidence, type StepEvidence } from "./evidence.ts";
import { parseExamples } from "./example-file.ts";
import { checkManifest, REPORT_FILE } from "./manifest.ts";
import { ANSWERS_FILE, answersSchema, BENCHMARK_FILE, measuredFolder } from "./registry-steps.ts";
import { readRemovals } from "./removal-journal.ts";
import { askStudent, GATE_FILE, gateSchema, judge, teacherPlaces } from "./removal-step.ts";
import { retentionOf } from "./retention.ts";
import { placeIn } from "./run-place.ts";
import type { RunPlan } from "./run-plan.ts";
import { stepsOf } from "./run-stages.ts";
import { scoreAnswers } from "./score.ts";
import { digestNow } from "./step-inputs.ts";
import { digestTree, treeOf } from "./tree-digest.ts";

/** One thing that was looked at, and held. */
export interface Finding {
  readonly claim: string;
  readonly checked: number;
}

/** Whether a folder is a run; else it is taken for a bundle. */
export async function isRunFolder(folder: string): Promise<boolean> {
  return (await statIfThere(join(folder, EVIDENCE_FOLDER))) !== undefined;
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
): Promise<Finding[]> {
  const evidence = await allEvidence(folder, plan);
  const findings = [
    await checkChain(folder, evidence),
    await checkOutputs(folder, evidence),
    await checkLocked(folder, evidence),
    await checkGone(folder, plan),
    await checkScores(folder, plan),
    await checkGate(folder, plan),
  ];
  const bundle = join(folder, BUNDLE_FOLDER);
  const { manifest } = await checkManifest(bundle);
  findings.push({ claim: "every file of the bundle is what its manifest says", checked: manifest.files.length });
  if (isMeasured) findings.push(await measureAgain(folder, plan, signal));
  return findings;
}

/** What every step says, in order. */
async function allEvidence(folder: string, plan: RunPlan): Promise<StepEvidence[]> {
  const found: StepEvidence[] = [];
  for (const step of stepsOf(plan)) {
    const evidence = (await readEvidence(folder, step.stage))?.steps.find(({ name }) => name === step.name);
    if (evidence === undefined) throw unproven(`${step.name} has left no evidence`);
    if (JSON.stringify(evidence.options) !== JSON.stringify(step.options)) {
      throw unproven(`${step.name} was run with other options than the configuration has`);
    }
    const missing = step.inputs.find((input) => evidence.inputs[input] === undefined);
    if (missing !== undefined) throw unproven(`${step.name} does not say which ${missing} it read`);
    found.push(evidence);
  }
  return found;
}

/** What a step read is what another made, or what was given: given teachers are taken away as what they were. */
async function checkChain(folder: string, evidence: readonly StepEvidence[]): Promise<Finding> {
  const known = new Map((await readRemovals(folder)).map(({ path, sha256 }) => [path, sha256]));
  for (const { output } of evidence) known.set(output.path, output.sha256);
  let checked = 0;
  for (const { name, inputs } of evidence) {
    for (const [input, sha256] of Object.entries(inputs)) {
      const is = known.get(input) ?? (await digestNow(folder, input));
      if (is === undefined) throw unproven(`${input}, which ${name} read, is gone, and nobody took it away`);
      if (is !== sha256) throw unproven(`${name} read another ${input} than the one that was made`);
      known.set(input, is);
      checked += 1;
    }
  }
  return { claim: "every step read what the steps before it made", checked };
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
  const locked = Object.entries(evidence.find(({ name }) => name === "lock")?.inputs ?? {});
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

/** Scores of teachers are what their answers give. */
async function checkScores(folder: string, { teachers }: RunPlan): Promise<Finding> {
  let checked = 0;
  for (const { category } of teachers) {
    const { right, answers, scores } = await measured(folder, category);
    const { correct } = scoreAnswers(answers, right);
    if (correct !== scores.float32.correct) throw unproven(`the teacher of ${category} is right ${correct} times`);
    checked += right.length;
  }
  return { claim: "teachers' scores follow from their answers", checked };
}

/** Retentions are what the answers at the gate give, and enough. */
async function checkGate(folder: string, { teachers, config }: RunPlan): Promise<Finding> {
  const gate = await readChecked(join(folder, ARCHIVE_FOLDER, GATE_FILE), gateSchema, "bad-evidence");
  let checked = 0;
  for (const { category } of teachers) {
    const { right, answers } = await measured(folder, category);
    const said = gate.capabilities.find((one) => one.category === category);
    const rights = right.map(({ answer }) => answer);
    const kept = retentionOf(answers, gate.answers[category] ?? [], rights, config.seed);
    const isSame =
      said !== undefined && said.retention === kept.retention && said.low === kept.low && said.high === kept.high;
    if (!isSame) throw unproven(`the retention of ${category} does not follow from the answers at the gate`);
    if (kept.retention < config.limits.retention) throw unproven(`${category} kept ${kept.retention} alone`);
    checked += right.length;
  }
  return { claim: "retentions at the gate follow from its answers, and are enough", checked };
}

/** The bundle says the same again. */
async function measureAgain(folder: string, { teachers, config }: RunPlan, signal: AbortSignal): Promise<Finding> {
  const bundle = join(folder, BUNDLE_FOLDER);
  const { report } = await checkManifest(bundle);
  const benchmarks = new Map(teachers.map(({ category }) => [category, join(folder, measuredFolder(category))]));
  const former = await teacherPlaces(folder, teachers);
  const answer = await askStudent(bundle, benchmarks, former, { signal });
  let checked = 0;
  for (const [category, place] of benchmarks) {
    const now = await judge(answer, category, place, config);
    const then = report.capabilities.find((one) => one.category === category);
    if (JSON.stringify(now) !== JSON.stringify(then)) {
      throw unproven(`${category} is measured otherwise than ${REPORT_FILE} says: ${now.student} of ${now.prompts}`);
    }
    checked += now.prompts;
  }
  return { claim: "the bundle, asked again alone, answers as its report says", checked };
}

async function measured(folder: string, category: string) {
  const place = join(folder, measuredFolder(category));
  const path = join(place, BENCHMARK_FILE);
  const right = parseExamples(await readFile(path, "utf8"), path);
  return { right, ...(await readChecked(join(place, ANSWERS_FILE), answersSchema, "bad-evidence")) };
}

function unproven(problem: string): DistillationError {
  return new DistillationError(
    "bad-evidence",
    problem,
    "take another copy of the run, or run it again in a new folder",
  );
}
