import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../../jobs/job.ts";
import { checkBundle } from "./check-bundle.ts";
import { EVIDENCE_FOLDER, type StepEvidence } from "./evidence.ts";
import { finishRun } from "./finished-run.suite.ts";
import type { RunPlan } from "./run-plan.ts";
import { digestTree } from "./tree-digest.ts";
import { verifyRun } from "./verify-run.ts";

let outer = "";
let whole = "";
let plan: RunPlan;
beforeAll(async () => {
  outer = await mkdtemp(join(tmpdir(), "verify-run-"));
  ({ folder: whole, plan } = await finishRun(outer));
}, 60_000);
afterAll(() => rm(outer, { recursive: true, force: true }));

const verify = (folder: string, isMeasured = false) =>
  verifyRun(folder, plan, isMeasured, new AbortController().signal);

async function copyOf(): Promise<string> {
  const folder = await mkdtemp(join(outer, "tampered-"));
  await cp(whole, folder, { recursive: true });
  return folder;
}

/** Put a value in the place of a file's: `steps.0.name`; undefined: take it out. */
async function change(path: string, place = "", value: Json | undefined = undefined): Promise<void> {
  const json = JSON.parse(await readFile(path, "utf8"));
  const names = place.split(".");
  const last = names.pop() as string;
  const parent = names.reduce((below, name) => below[name], json);
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  await writeFile(path, JSON.stringify(json, undefined, 1));
}

/** What somebody would do who changed a file and knows of hashes: evidence and manifest say what is there now. */
async function forge(folder: string): Promise<void> {
  await forgeManifest(join(folder, "bundle"));
  const digests = new Map<string, string>();
  for (const stage of (await readdir(join(folder, EVIDENCE_FOLDER))).sort()) {
    const path = join(folder, EVIDENCE_FOLDER, stage);
    const evidence = JSON.parse(await readFile(path, "utf8")) as { steps: StepEvidence[] };
    for (const { inputs, output } of evidence.steps) {
      for (const [input, sha256] of Object.entries(inputs)) inputs[input] = digests.get(input) ?? sha256;
      const now = await digestTree(join(folder, output.path)).catch(() => undefined);
      if (now !== undefined) Object.assign(output, now);
      digests.set(output.path, output.sha256);
    }
    await writeFile(path, JSON.stringify(evidence));
  }
}

async function forgeManifest(bundle: string): Promise<void> {
  const path = join(bundle, "manifest.json");
  const files = (await digestTree(bundle)).files.filter((file) => file.path !== "manifest.json");
  await change(path, "files", files as unknown as Json);
  await change(
    path,
    "bytes",
    files.reduce((sum, { bytes }) => sum + bytes, 0),
  );
}

test("a run of teachers that were given holds, is measured again alone, and leaves the originals where they are", async () => {
  const { findings, network } = await verify(whole, true);
  expect(findings.map(({ checked }) => checked).every((checked) => checked > 0)).toBe(true);
  expect(findings).toHaveLength(10);
  expect(["absent", "sealed"]).toContain(network);
  expect((await stat(join(outer, "given/almanac/model.safetensors"))).size).toBeGreaterThan(1000);
  const removal = JSON.parse(await readFile(join(whole, EVIDENCE_FOLDER, "5-removal.json"), "utf8"));
  expect(removal.steps[0].measured.network).toBe(network);
});

test.for<readonly [what: string, path: string, place: string, value: Json | undefined, message: RegExp]>([
  ["an answer at the gate", "archive/gate.json", "answers.facts.0", "x", /retention of facts does/],
  ["an adapter at the gate", "archive/gate.json", "adapters.facts.0", "code", /retention of facts does/],
  ["an interval", "archive/gate.json", "capabilities.0.low", 0, /retention of facts does not follow/],
  ["a capability less", "archive/gate.json", "capabilities.1", undefined, /retention of signal does not follow/],
  ["what had to be kept", "archive/gate.json", "least", 0.01, /the gate asked for 0\.01/],
  ["retries", "archive/gate.json", "retries.code", 9, /code was taught again 9 times/],
  [
    "the report of the gate, in its spaces",
    "archive/gate.json",
    "version",
    1,
    /gate\.json of the archive is not what gate made/,
  ],
  [
    "an archived profile, in its spaces",
    "archive/profiles/facts.json",
    "version",
    1,
    /archive is not what profile-facts made/,
  ],
  ["a teacher's answer", "measured/facts/answers.json", "answers.0", "x", /facts is right 19 times/],
  ["a teacher's score", "measured/facts/answers.json", "scores.float32.low", 0, /facts is right 20 times/],
  ["an INT8 score", "measured/facts/answers.json", "scores.int8.total", 21, /score of facts in int8/],
  ["a capability's teacher", "registry/teacher_registry.json", "teachers.0.model", "x", /does not follow from what/],
  [
    "the bundle's counts",
    "bundle/verify_report.json",
    "capabilities.0.teacher",
    1,
    /retention of facts in verify_report/,
  ],
  [
    "what the bundle cost",
    "bundle/verify_report.json",
    "quantizationLoss.facts",
    -9,
    /evidence of bundle tells something else/,
  ],
  ["a bundle's budget", "bundle/manifest.json", "budgetBytes", 1e6, /evidence of bundle tells something else/],
])("%s, changed with every hash above it, is found by what it contradicts", async ([, path, place, value, message]) => {
  const folder = await copyOf();
  await change(join(folder, path), place, value);
  await forge(folder);
  await expect(verify(folder)).rejects.toThrow(message);
});

test("a right answer that was changed with every hash above it is none of the configuration's", async () => {
  const folder = await copyOf();
  const path = join(folder, "measured/facts/benchmark.jsonl");
  await writeFile(path, (await readFile(path, "utf8")).replace('"answer":"e"', '"answer":"x"'));
  await forge(folder);
  await expect(verify(folder)).rejects.toThrow(/the benchmark of facts is another one/);
});

test("weights that were changed with every hash above them are measured otherwise", async () => {
  const folder = await copyOf();
  const path = join(folder, "bundle/student.safetensors");
  const bytes = await readFile(path);
  const codes = 8 + Number(bytes.readBigUInt64LE());
  for (let at = codes; at < bytes.length; at += 1) bytes[at] = at % 2 === 0 ? 0x11 : 0x22;
  await writeFile(path, bytes);
  await forge(folder);
  await verify(folder);
  await expect(verify(folder, true)).rejects.toThrow(/is measured otherwise than verify_report\.json says/);
});

const FOUR = "evidence/4-distillation.json";
const ZEROS = "0".repeat(64);
test.for<readonly [what: string, path: string, place: string, value: Json | undefined, message: RegExp]>([
  ["which input a step read", FOUR, "steps.1.inputs.student-backbone", ZEROS, /adapter-facts read another student-b/],
  ["an input less", FOUR, "steps.1.inputs.student-backbone", undefined, /does not say which student-backbone/],
  ["a file's size", FOUR, "steps.0.output.files.0.bytes", 1, /list of files of backbone/],
  ["an output's path", FOUR, "steps.0.output.path", "x", /backbone made another output/],
  ["options", FOUR, "steps.0.options.seed", 1, /backbone was run with other options/],
  ["a step less", FOUR, "steps.3", undefined, /joint has left no evidence/],
  ["what a step found", "evidence/5-removal.json", "steps.0.facts.least", 0, /evidence of gate tells/],
  ["what a teacher scored", "evidence/1-registry.json", "steps.0.facts.category", "x", /evidence of measure-facts/],
  ["what was taken away", "removed.json", "removed.0.path", "teachers/other", /is gone, and nobody took it/],
  ["what it was", "removed.json", "removed.0.sha256", ZEROS, /was another one when it was taken away/],
  ["whether it is gone", "removed.json", "removed.0.state", "begun", /is gone, and nobody took it away/],
  ["the configuration", "distill.yaml", "seed", 7, /distill\.yaml was changed since stage 0/],
])("%s, changed in the evidence, contradicts the rest of it", async ([, path, place, value, message]) => {
  const folder = await copyOf();
  await change(join(folder, path), place, value);
  await expect(verify(folder)).rejects.toThrow(message);
});

test("a teacher that came back is found, though it is the very one", async () => {
  const folder = await copyOf();
  await mkdir(join(folder, "teachers"), { recursive: true });
  await cp(join(outer, "given/almanac"), join(folder, "teachers/almanac"), { recursive: true });
  await expect(verify(folder)).rejects.toThrow(/the teacher teachers\/almanac is still there/);
});

const [MANIFEST, REPORT] = ["manifest.json", "verify_report.json"];
test.for<readonly [what: string, file: string, place: string, value: Json, message: RegExp]>([
  ["another tier", MANIFEST, "capabilities.0.tier", "kept", /the tier of facts .* is not whole/],
  ["another capability", MANIFEST, "capabilities.0.category", "code", /has code, signal, and/],
  ["fewer parameters", MANIFEST, "parameters.student", 1, /parameters, and manifest\.json says 1/],
  ["larger teachers", MANIFEST, "parameters.teachers", 1e9, /other parameters than manifest/],
  ["a larger float32", MANIFEST, "float32NumberBytes", 1e9, /took in float32/],
  ["a float32 folder smaller than its numbers", MANIFEST, "float32Bytes", 5, /took in float32/],
  ["less room than it takes", MANIFEST, "budgetBytes", 9, /may have 9/],
  ["more answers than prompts", REPORT, "capabilities.0.student", 21, /does not follow from its counts/],
  ["a retention of its own", REPORT, "capabilities.0.retention", 0.99, /does not follow from its counts/],
  ["an interval upside down", REPORT, "capabilities.0.low", 2, /does not follow from its counts/],
  ["something lost", REPORT, "capabilities.0.isKept", false, /facts kept 1, and had to keep 0\.05/],
  ["losses of others", REPORT, "quantizationLoss", { poetry: 0 }, /quantizationLoss of other/],
])("a bundle alone that says %s, with all hashes right, is refused", async ([, file, place, value, message]) => {
  const bundle = await mkdtemp(join(outer, "bundle-"));
  await cp(join(whole, "bundle"), bundle, { recursive: true });
  await checkBundle(bundle);
  await change(join(bundle, file), place, value);
  await forgeManifest(bundle);
  await expect(checkBundle(bundle)).rejects.toThrow(message);
});
