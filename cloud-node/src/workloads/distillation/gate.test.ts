import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBackend } from "../language-model/open-backend.ts";
import { openBundledStudent } from "./bundled-student.ts";
import { writeDrawnStudent } from "./drawn-student.suite.ts";
import { formatExamples } from "./example-file.ts";
import { askIsolated } from "./gate-process.ts";
import { openStudent } from "./student-answerer.ts";
import { WEIGHTS_FILE, writeBundledStudent } from "./student-bundle.ts";

const EXAMPLES = ["river of Veve", "row({at()["].map((prompt) => ({ prompt, answer: "x" }));
const RUN = {
  backend: () => openBackend({ name: "wasm-strict" as const, shards: 1, threads: 1 }),
  nowMs: () => 0,
};

let folder = "";
let student = "";
let bundle = "";
let benchmark = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gate-"));
  [student, bundle, benchmark] = [join(folder, "student"), join(folder, "bundle"), join(folder, "facts.jsonl")];
  await writeFile(benchmark, formatExamples(EXAMPLES));
  await writeDrawnStudent(student);
  await mkdir(bundle);
  await writeBundledStudent(bundle, student);
});
afterAll(() => rm(folder, { recursive: true }));

const ask = (folderOf: string, former = [join(folder, "teachers", "almanac")]) =>
  askIsolated({ student: folderOf, benchmarks: { facts: benchmark }, former }, new AbortController().signal);

test("a student answers alone as it does here, with nothing else to read and nobody to reach", async () => {
  const answered = await ask(student);
  expect(answered.files).toEqual(["denied"]);
  expect(["absent", "sealed"]).toContain(answered.network);
  expect(answered.adapters.facts).toEqual(["facts", "code"]);
  expect(answered.answers.facts?.join("").length).toBeGreaterThan(5);
  const here = await openStudent(student, RUN);
  for (const [at, { prompt }] of EXAMPLES.entries()) {
    expect(answered.answers.facts?.[at]).toBe((await here.answer(prompt)).text);
  }
  here.close();
});

test("a bundled student answers alone, too", async () => {
  const answered = await ask(bundle);
  expect(answered.adapters.facts).toEqual(["facts", "code"]);
  const here = await openBundledStudent(bundle, RUN);
  expect(answered.answers.facts?.[1]).toBe((await here.answer(EXAMPLES[1]?.prompt ?? "")).text);
  here.close();
});

test("a student whose weights are a link to a teacher's fails the gate, while the teacher is there and when it is gone", async () => {
  const linked = join(folder, "linked");
  const teacher = join(folder, "teachers", "almanac");
  await writeDrawnStudent(linked);
  await mkdir(teacher, { recursive: true });
  await rename(join(linked, "model.safetensors"), join(teacher, "model.safetensors"));
  await symlink(join(teacher, "model.safetensors"), join(linked, "model.safetensors"));
  await expect(ask(linked)).rejects.toMatchObject({ code: "gate-failed" });
  await rm(teacher, { recursive: true });
  await expect(ask(linked)).rejects.toMatchObject({ code: "gate-failed" });
});

test("a teacher below what the process may read is no teacher that is out of reach", async () => {
  await expect(ask(student, [join(student, "almanac")])).rejects.toMatchObject({ code: "not-isolated" });
  const ours = fileURLToPath(new URL("../../../", import.meta.url));
  await expect(ask(student, [join(ours, "teachers", "almanac")])).rejects.toMatchObject({ code: "not-isolated" });
});

test.for([
  ["without its router", async (path: string) => await rm(join(path, "router.json"))],
  ["whose weights are cut short", async (path: string) => await cut(join(path, WEIGHTS_FILE))],
  [
    "whose plan has another rank",
    async (path: string) => await change(join(path, "student.json"), '"rank":2', '"rank":3'),
  ],
  ["whose configuration is another one", async (path: string) => await change(join(path, "config.json"), "16", "32")],
] as const)("a bundle %s cannot be asked", async ([, damage]) => {
  const damaged = await mkdtemp(join(folder, "damaged-"));
  await writeBundledStudent(damaged, student);
  await damage(damaged);
  await expect(ask(damaged)).rejects.toMatchObject({ code: "gate-failed" });
});

async function cut(path: string): Promise<void> {
  await writeFile(path, (await readFile(path)).subarray(0, -7));
}

async function change(path: string, from: string, to: string): Promise<void> {
  await writeFile(path, (await readFile(path, "utf8")).replace(from, to));
}
