import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { layOutBatch } from "../lora/answer-batch.ts";
import { tokenizeExamples } from "../lora/tokenized-example.ts";
import { BranchedModel } from "./branched-model.ts";
import { buildStudent } from "./build-student.ts";
import { capabilityOf } from "./capabilities.ts";
import type { Category } from "./capability.ts";
import { distilAdapter, distilBackbone, distilJointly, type Source } from "./distil.ts";
import { drawTeacher, TINY, watchedRun } from "./distillation-rig.suite.ts";
import { ExamplePool, takeExamples } from "./example-pool.ts";
import { type DistilOptions, distilSchema, profileSchema, studentSchema } from "./options.ts";
import { readProfile } from "./profile-file.ts";
import { profileTeacher } from "./profile-teacher.ts";
import { readStudent } from "./student.ts";
import { openStudent } from "./student-answerer.ts";
import { loadTeacher } from "./teacher.ts";
import { TeacherVoice, takeCoordinates, tokenRows } from "./teacher-voice.ts";

const PAIR: readonly Category[] = ["arithmetic", "formats"];
const PHASE = { steps: 6, tokens: 96, learningRate: 5e-3, questions: 40 };
const OPTIONS: DistilOptions = v.parse(distilSchema, { backbone: PHASE, adapters: PHASE, joint: PHASE, checkEvery: 3 });
const sources = new Map<Category, Source>();
let root: string;

/** SHA-256 of every file below a folder, by its path there. */
async function digests(folder: string): Promise<Record<string, string>> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const found: Record<string, string> = {};
  for (const path of paths.sort()) {
    found[path.slice(folder.length)] = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  }
  return found;
}

const at = (...parts: readonly string[]) => join(root, ...parts);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "distil-"));
  const run = watchedRun();
  for (const category of PAIR) {
    await drawTeacher(at("teacher", category), category);
    const options = v.parse(profileSchema, { questions: 30, probes: 6, streamRank: 16, maxComponents: 4 });
    const [teacher, profile] = [at("teacher", category), at("profile", category)];
    await profileTeacher(profile, { category, teacher, options, seed: 1 }, run);
    sources.set(category, { teacher, profile });
  }
  const options = v.parse(studentSchema, { size: TINY, largestShare: 1 });
  const profiles = new Map([...sources].map(([category, { profile }]) => [category, profile]));
  await buildStudent(at("student"), { profiles, options, seed: 2 }, run);
});

afterAll(() => rm(root, { recursive: true, force: true }));

test("all phases, one behind the other, end in a student that answers, and the same seed gives the same bytes", async () => {
  const run = watchedRun();
  const request = { options: OPTIONS, sources, seed: 3 };
  const backbone = await distilBackbone(at("backbone"), { ...request, student: at("student") }, run);
  const adapters = new Map<Category, string>();
  for (const category of PAIR) {
    const source = sources.get(category);
    await distilAdapter(at("adapter", category), { ...request, student: at("backbone"), category, source }, run);
    adapters.set(category, at("adapter", category));
  }
  const joint = { ...request, student: at("backbone"), adapters };
  await distilJointly(at("final"), joint, run);
  await distilJointly(at("again"), joint, run);
  expect(await digests(at("again"))).toEqual(await digests(at("final")));
  expect(await digests(at("final"))).not.toEqual(await digests(at("backbone")));
  // What learned beside the student goes from phase to phase, and is gone in the end.
  expect(Object.keys(await digests(at("backbone")))).toContain("/anchors.safetensors");
  expect(Object.keys(await digests(at("final")))).not.toContain("/anchors.safetensors");
  expect(backbone.looks.map(({ step }) => step)).toEqual([3, 6]);
  for (const { missed } of backbone.looks) expect(Object.keys(missed)).toEqual(PAIR);
  const student = await openStudent(at("final"), run);
  expect((await student.answer("712+10")).adapter).toBe("arithmetic");
  expect((await student.answer("slug Red Blue")).adapter).toBe("formats");
  student.close();
});

test("without a joint phase the student is its backbone and its adapters, bit for bit", async () => {
  const { joint: _, ...apart } = OPTIONS;
  const run = watchedRun();
  const request = { options: apart, student: at("student"), sources, seed: 4 };
  await distilAdapter(at("one"), { ...request, category: "formats", source: sources.get("formats") }, run);
  expect(
    await distilJointly(at("whole"), { ...request, adapters: new Map([["formats", at("one")]]) }, run),
  ).toBeUndefined();
  const [before, after] = [await readStudent(at("student")), await readStudent(at("whole"))];
  expect(after.adapters.get("arithmetic")).toEqual(before.adapters.get("arithmetic"));
  expect(after.adapters.get("formats")).not.toEqual(before.adapters.get("formats"));
  const name = "transformer.h.1.mlp.c_fc.weight";
  const shape = [TINY.hidden, TINY.width];
  expect(await after.weights.floats(name, shape)).toEqual(await before.weights.floats(name, shape));
});

test("an adapter learns from right answers where its teacher is gone", async () => {
  const run = watchedRun();
  const request = { options: OPTIONS, student: at("student"), category: "formats", seed: 5 } as const;
  const { looks } = await distilAdapter(at("alone"), request, run);
  expect(looks.map(({ missed }) => missed)).toEqual([{}, {}]);
  expect(await readdir(at("alone"))).toContain("adapter_model.safetensors");
});

test("a spike is rolled back, logged, raises the anchors, and is over within a hundred steps", async () => {
  const run = watchedRun();
  const phase = { ...OPTIONS.adapters, steps: 120 };
  const spikes = { ...OPTIONS.spikes, keepEvery: 20 };
  const options = { ...OPTIONS, adapters: phase, spikes };
  const source = sources.get("arithmetic");
  const disturb = (step: number) => (step === 50 ? 1e5 : 1);
  const request = { options, student: at("student"), category: "arithmetic", source, seed: 6, disturb } as const;
  const { rollbacks, finalLoss } = await distilAdapter(at("spiked"), request, run);
  expect(rollbacks).toHaveLength(1);
  const [{ step, to, expected, anchorWeight }] = rollbacks as [(typeof rollbacks)[0]];
  expect(step).toBe(51);
  expect(to).toBe(40);
  expect(anchorWeight).toBe(OPTIONS.anchorWeight * spikes.raise);
  expect(run.lines).toHaveLength(1);
  // Losses as they came: the spike at 51, and behind it the steps from 40 on again.
  const recovery = run.losses.slice(step + 1).findIndex((loss) => loss <= 1.2 * expected);
  expect(recovery).toBeGreaterThanOrEqual(0);
  expect(recovery).toBeLessThan(100);
  expect(finalLoss).toBeLessThan(1.2 * expected);
});

test("a profile has orthonormal directions, what the layers cost, and an audit that follows from it", async () => {
  const { summary, layers } = await readProfile(at("profile", "formats"));
  expect(summary.ablation.map(({ layer }) => layer)).toEqual([0, 1]);
  expect(summary.audit.rank).toBe(Math.min(summary.audit.intrinsicDimension, summary.audit.maxRank));
  expect(summary.memory.heldNumbers).toBeLessThan(summary.memory.seenNumbers);
  for (const { basis, explained } of layers) {
    for (let i = 0; i < explained.length; i += 1) {
      const direction = basis.subarray(i * TINY.width, (i + 1) * TINY.width);
      expect(direction.reduce((sum, each) => sum + each * each, 0)).toBeCloseTo(1, 2);
    }
    expect([...explained]).toEqual([...explained].sort((a, b) => b - a));
  }
});

test("a stream that keeps too few directions for the stated share of the variance says so", async () => {
  const options = v.parse(profileSchema, { questions: 30, probes: 6, streamRank: 2 });
  const profile = profileTeacher(
    at("narrow"),
    { category: "formats", teacher: at("teacher", "formats"), options, seed: 1 },
    watchedRun(),
  );
  await expect(profile).rejects.toMatchObject({
    code: "bad-profile",
    problem: expect.stringMatching(/^layer \d: 2 dir/),
  });
});

test("while a teacher is profiled nothing is written, and then what a profile has, of any number of questions", async () => {
  const options = v.parse(profileSchema, { questions: 90, probes: 6, streamRank: 16, maxComponents: 4 });
  const seen: boolean[] = [];
  const run = { ...watchedRun(), onProgress: () => void seen.push(existsSync(at("long"))) };
  const summary = await profileTeacher(
    at("long"),
    { category: "formats", teacher: at("teacher", "formats"), options, seed: 1 },
    run,
  );
  expect(seen.length).toBeGreaterThan(3);
  expect(seen).not.toContain(true);
  expect((await readdir(at("long"))).sort()).toEqual(["components.safetensors", "profile.json"]);
  const short = await readProfile(at("profile", "formats"));
  expect(summary.memory.heldNumbers).toBe(short.summary.memory.heldNumbers);
  expect(summary.memory.seenNumbers).toBeGreaterThan(2 * short.summary.memory.seenNumbers);
  const bytes = async (name: string) => (await stat(at(name, "components.safetensors"))).size;
  // As many tokens of probes, and components that may differ in number.
  expect(await bytes("long")).toBeLessThan(2 * (await bytes("profile/formats")));
});

test("a student over its share of the teachers' parameters is not built", async () => {
  const options = v.parse(studentSchema, { size: TINY, largestShare: 0.1 });
  const profiles = new Map([...sources].map(([category, { profile }]) => [category, profile]));
  const build = buildStudent(at("large"), { profiles, options, seed: 2 }, watchedRun());
  await expect(build).rejects.toMatchObject({ code: "over-budget" });
});

test("a teacher that writes with other tokens is refused", async () => {
  const teacher = at("foreign");
  await drawTeacher(teacher, "facts");
  const path = join(teacher, "tokenizer.json");
  await writeFile(path, (await readFile(path, "utf8")).replace('"!": 5', '"!": 6').replace('"\\"": 6', '"\\"": 5'));
  const options = v.parse(profileSchema, { questions: 2 });
  const profile = profileTeacher(at("none"), { category: "facts", teacher, options, seed: 1 }, watchedRun());
  await expect(profile).rejects.toMatchObject({ code: "other-vocabulary" });
});

test.each([
  ["profile.json", '{"format":"lockstep profile"}', "bad-profile"],
  ["components.safetensors", "short", "truncated"],
])("a profile whose %s is damaged is refused", async (name, text, code) => {
  const folder = at(`damaged-${name}`);
  const options = v.parse(profileSchema, { questions: 4, probes: 2, streamRank: 16 });
  const request = { category: "formats", teacher: at("teacher", "formats"), options, seed: 1 } as const;
  await profileTeacher(folder, request, watchedRun());
  await writeFile(join(folder, name), text);
  await expect(readProfile(folder)).rejects.toMatchObject({ code });
});

test("a teacher's voice is its probabilities, less the right tokens, and its coordinates on its profile", async () => {
  const teacher = await loadTeacher(at("teacher", "formats"), "float32");
  const examples = tokenizeExamples(teacher, takeExamples(capabilityOf("formats"), 3, 1));
  const shape = new ExamplePool(examples, 1).shapeFor(3, 1);
  const batch = layOutBatch(examples, shape);
  const backend = await watchedRun("js").backend();
  const { layers } = await readProfile(at("profile", "formats"));
  const voice = await TeacherVoice.open(backend, teacher, "formats", shape, layers);
  await voice.hear(batch);
  const soft = await voice.soft(0.5);
  const branches = [{ name: "formats", shape, anchors: [] }];
  const plan = { config: teacher.config, isBackboneTrained: false, areAdaptersTrained: false, branches };
  const model = await BranchedModel.create(backend, plan, teacher.weights, 0);
  model.feed("formats", batch);
  await model.forward();
  const logits = await model.logits("formats");
  const { vocabulary } = teacher.config;
  for (const [row, target] of batch.targets.entries()) {
    const these = logits.slice(row * vocabulary, (row + 1) * vocabulary);
    const sum = these.reduce((all, logit) => all + Math.exp(logit), 0);
    for (const [token, logit] of these.entries()) {
      const wanted = target < 0 ? 0 : (0.5 * (Number(token === target) - Math.exp(logit) / sum)) / batch.count;
      expect(Math.abs((soft[row * vocabulary + token] as number) - wanted)).toBeLessThan(1e-8);
    }
  }
  for (const components of layers) {
    const found = await voice.coordinates(components, examples);
    const hidden = await model.hidden("formats", components.layer);
    const { width } = teacher.config;
    const size = components.explained.length;
    const rows = tokenRows(examples, shape);
    expect(found).toHaveLength(rows.length * size);
    const wanted = new Float32Array(found.length);
    for (const [at, row] of rows.entries()) {
      takeCoordinates(hidden.subarray(row * width, (row + 1) * width), components, wanted, at * size);
    }
    for (const [at, coordinate] of wanted.entries()) expect(found[at]).toBeCloseTo(coordinate, 4);
  }
  voice.close();
  model.close();
});

test.each([
  ["student.json", '{"format":"lockstep student","version":1}', "bad-student"],
  ["router.json", "{}", "bad-student"],
  ["router.json", "not even JSON", "bad-student"],
  ["anchors.safetensors", "short", "truncated"],
  ["adapters/formats/adapter_model.safetensors", "", "truncated"],
  ["model.safetensors", "\u0008".repeat(64), "bad-safetensors"],
])("a student whose %s is %j is refused", async (name, text, code) => {
  const folder = at("damaged-student");
  await rm(folder, { recursive: true, force: true });
  await cp(at("student"), folder, { recursive: true });
  await writeFile(join(folder, name), text);
  await expect(readStudent(folder)).rejects.toMatchObject({ code });
});
