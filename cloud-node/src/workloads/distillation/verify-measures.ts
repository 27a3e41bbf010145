import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ARCHIVE_FOLDER, archivedProfile, BUNDLE_FOLDER, bundleFacts } from "./bundle-steps.ts";
import { type CheckedBundle, checkBundle } from "./check-bundle.ts";
import { readChecked, type StepEvidence } from "./evidence.ts";
import { formatExamples, parseExamples } from "./example-file.ts";
import { type Finding, unproven } from "./finding.ts";
import type { GateAnswer } from "./gate-messages.ts";
import { type BundleReport, REPORT_FILE } from "./manifest.ts";
import { PROFILE_FILE } from "./profile-file.ts";
import { PRECISIONS } from "./quantized-weights.ts";
import {
  ANSWERS_FILE,
  answersSchema,
  BENCHMARK_FILE,
  benchmarkFor,
  measuredFolder,
  REGISTRY_FOLDER,
  REGISTRY_JSON,
  registryOf,
  teacherRegistrySchema,
} from "./registry-steps.ts";
import { askStudent, GATE_FILE, type GateReport, gateFacts, gateSchema, judge, teacherPlaces } from "./removal-step.ts";
import type { RunPlan } from "./run-plan.ts";
import { scoreAnswers, scoreOf } from "./score.ts";

/** Prompts and right answers are those that everybody would make of the configuration. */
export async function checkBenchmarks(folder: string, { teachers, prompts }: RunPlan): Promise<Finding> {
  let checked = 0;
  for (const teacher of teachers) {
    const examples = await benchmarkFor(teacher, prompts, (path) => join(folder, path));
    const text = await readFile(join(folder, measuredFolder(teacher.category), BENCHMARK_FILE), "utf8");
    if (text !== formatExamples(examples)) throw unproven(`the benchmark of ${teacher.category} is another one`);
    checked += examples.length;
  }
  return { claim: "benchmarks are those of the configuration", checked };
}

/** Scores of teachers are what their answers give, as far as these are kept, and the registry has no others. */
export async function checkScores(folder: string, plan: RunPlan, evidence: readonly StepEvidence[]): Promise<Finding> {
  let checked = 0;
  for (const { category } of plan.teachers) {
    const place = join(folder, measuredFolder(category));
    const path = join(place, BENCHMARK_FILE);
    const right = parseExamples(await readFile(path, "utf8"), path);
    const { answers, scores } = await readChecked(join(place, ANSWERS_FILE), answersSchema, "bad-evidence");
    const float32 = scoreAnswers(answers, right);
    if (!isDeepStrictEqual(scores.float32, float32)) {
      throw unproven(`the teacher of ${category} is right ${float32.correct} times, and its score says otherwise`);
    }
    for (const precision of PRECISIONS) {
      const score = scoreOf(scores[precision].correct, right.length);
      if (!isDeepStrictEqual(scores[precision], score))
        throw unproven(`the score of ${category} in ${precision} is none`);
    }
    checkFacts(evidence, `measure-${category}`, { category, scores });
    checked += right.length;
  }
  const path = join(folder, REGISTRY_FOLDER, REGISTRY_JSON);
  const registry = await readChecked(path, teacherRegistrySchema, "bad-evidence");
  if (!isDeepStrictEqual(registry, await registryOf(plan, (below) => join(folder, below)))) {
    throw unproven(`${REGISTRY_JSON} does not follow from what was measured`);
  }
  return { claim: "teachers' scores follow from their answers", checked };
}

/** Retentions are what the answers at the gate give, and enough. */
export async function checkGate(folder: string, plan: RunPlan, evidence: readonly StepEvidence[]): Promise<Finding> {
  const { teachers, config } = plan;
  const gate = await readChecked(join(folder, ARCHIVE_FOLDER, GATE_FILE), gateSchema, "bad-evidence");
  const { retention: least, retries } = config.limits;
  if (gate.least !== least) throw unproven(`the gate asked for ${gate.least}, and the configuration for ${least}`);
  for (const [category, times] of Object.entries(gate.retries)) {
    const isKnown = teachers.some((teacher) => teacher.category === category);
    if (!isKnown || times > retries) throw unproven(`${category} was taught again ${times} times`);
  }
  const capabilities: GateReport["capabilities"] = [];
  for (const { category } of teachers) {
    const now = await judge(gate, category, join(folder, measuredFolder(category)), config);
    if (!now.isKept) throw unproven(`${category} kept ${now.retention} alone`);
    capabilities.push(now);
  }
  for (const [at, now] of capabilities.entries()) {
    if (isDeepStrictEqual(gate.capabilities[at], now)) continue;
    throw unproven(`the retention of ${now.category} does not follow from the answers at the gate`);
  }
  if (gate.capabilities.length !== teachers.length) throw unproven("the gate has capabilities that have no teacher");
  checkFacts(evidence, "gate", gateFacts(gate));
  const checked = capabilities.reduce((sum, { prompts }) => sum + prompts, 0);
  return { claim: "retentions at the gate follow from its answers, and are enough", checked };
}

/** Files of the archive are those that the steps left before they were taken away. */
export function checkArchive({ teachers }: RunPlan, evidence: readonly StepEvidence[]): Finding {
  const profiles = teachers.map(
    ({ category }) => [`profile-${category}`, PROFILE_FILE, archivedProfile(category)] as const,
  );
  const all = [["gate", GATE_FILE, GATE_FILE] as const, ...profiles];
  for (const [step, from, to] of all) {
    const made = sha256Of(evidence, step, from);
    if (made === undefined || made !== sha256Of(evidence, "archive", to)) {
      throw unproven(`${to} of the archive is not what ${step} made`);
    }
  }
  return { claim: "what was archived is what the steps had made", checked: all.length };
}

function sha256Of(evidence: readonly StepEvidence[], step: string, file: string): string | undefined {
  const files = evidence.find(({ name }) => name === step)?.output.files;
  return files?.find(({ path }) => path === file)?.sha256;
}

/** The bundle holds by itself, and is of this run. */
export async function checkBundleOfRun(
  folder: string,
  { teachers, config }: RunPlan,
  evidence: readonly StepEvidence[],
): Promise<{ readonly finding: Finding; readonly bundle: CheckedBundle }> {
  const bundle = await checkBundle(join(folder, BUNDLE_FOLDER));
  const { manifest, report } = bundle;
  const categories = manifest.capabilities.map(({ category }) => category);
  if (
    !isDeepStrictEqual(
      categories,
      teachers.map(({ category }) => category),
    )
  ) {
    throw unproven("the bundle has other capabilities than the registry has teachers");
  }
  if (manifest.least !== config.limits.retention) throw unproven(`the bundle had to keep ${manifest.least}`);
  checkFacts(evidence, "bundle", bundleFacts(manifest, report));
  const claim = "every file of the bundle is what its manifest says";
  return { finding: { claim, checked: manifest.files.length }, bundle };
}

/** The bundle says the same again. @param report  its own */
export async function measureAgain(
  folder: string,
  { teachers, config }: RunPlan,
  report: BundleReport,
  signal: AbortSignal,
): Promise<{ readonly finding: Finding; readonly network: GateAnswer["network"] }> {
  const bundle = join(folder, BUNDLE_FOLDER);
  const benchmarks = new Map(teachers.map(({ category }) => [category, join(folder, measuredFolder(category))]));
  const former = await teacherPlaces(folder, teachers);
  const answer = await askStudent(bundle, benchmarks, former, { signal });
  let checked = 0;
  for (const [category, place] of benchmarks) {
    const now = await judge(answer, category, place, config);
    const then = report.capabilities.find((one) => one.category === category);
    if (!isDeepStrictEqual(now, then)) {
      throw unproven(`${category} is measured otherwise than ${REPORT_FILE} says: ${now.student} of ${now.prompts}`);
    }
    checked += now.prompts;
  }
  const claim = `the bundle, asked again alone (network: ${answer.network}), answers as its report says`;
  return { finding: { claim, checked }, network: answer.network };
}

/** What evidence tells of a step is what its files say. */
function checkFacts(evidence: readonly StepEvidence[], step: string, facts: object): void {
  if (isDeepStrictEqual(evidence.find(({ name }) => name === step)?.facts, facts)) return;
  throw unproven(`the evidence of ${step} tells something else than its files`);
}
