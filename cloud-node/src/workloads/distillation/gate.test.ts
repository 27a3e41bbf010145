import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { uniformNumbers } from "../../tensor/random.ts";
import { openBackend } from "../language-model/open-backend.ts";
import { adaptedMatrices } from "../lora/low-rank.ts";
import { openBundledStudent } from "./bundled-student.ts";
import type { Category } from "./capability.ts";
import { formatExamples } from "./example-file.ts";
import { askIsolated } from "./gate-process.ts";
import { drawnWeights, llamaOf } from "./llama.ts";
import { writeStudent } from "./student.ts";
import { openStudent } from "./student-answerer.ts";
import { WEIGHTS_FILE, writeBundledStudent } from "./student-bundle.ts";
import { CHARACTERS } from "./vocabulary.ts";

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

/** A student that has learned nothing: what it says is noise, and the same noise everywhere. */
async function writeDrawnStudent(to: string): Promise<void> {
  const config = llamaOf({ layers: 1, heads: 2, kvHeads: 1, width: 16, hidden: 16 });
  const targets = ["q_proj", "down_proj"] as const;
  const categories: Category[] = ["facts", "code"];
  const adapters = categories.map((category) => {
    const pairs = adaptedMatrices(config, targets).map(({ name, shape: [outputs = 0, inputs = 0] }) => {
      const drawn = (count: number, what: string) => uniformNumbers(count, 0.5, 1, `${category}/${name}/${what}`);
      return [name, { down: drawn(2 * inputs, "down"), up: drawn(2 * outputs, "up") }] as const;
    });
    const head = { rank: 2, alpha: 4, targets, dropout: 0, isRankStabilized: false, base: "student" };
    return [category, { ...head, pairs: new Map(pairs) }] as const;
  });
  const alphabet = CHARACTERS.join("");
  await writeStudent(to, {
    config,
    weights: { floats: async (name, shape) => loud(await drawnWeights(config, 3).floats(name, shape)) },
    adapters: new Map(adapters),
    router: {
      ...{ format: "lockstep router", version: 1, categories, alphabet, bias: [0, 0] },
      weights: categories.map((_, at) => [...alphabet].map((character) => (character === "(" ? at : 0))),
    },
    plan: {
      ...{ format: "lockstep student", version: 1 },
      adapters: categories.map((category) => ({ category, rank: 2, alpha: 4, targets: [...targets], layers: [0] })),
      parameters: { backbone: 1, adapters: 1, router: 1, total: 3, teachers: 9 },
    },
  });
}

/** Weights that are drawn as training begins say next to nothing. */
function loud(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  return Float32Array.from(values, (value) => 20 * value);
}

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
