import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  beginTinyRun,
  contentOf,
  filesBelow,
  killInEveryStage,
  REGISTRY,
  TINY_CONFIG,
  TINY_TEACHERS,
} from "../distillation-runs.ts";
import { requires } from "../os-package.ts";
import { BundledStudent, wrongFiles } from "../student-loader.ts";
import { LAUNCHER, LockstepProcess, runLockstep, runLockstepOn } from "./lockstep-process.ts";
import { expectAccessible } from "./page-axe.ts";
import { launchChromium } from "./shown-demo.ts";

/** Reached only when something is broken, on a busy machine too. */
const LIMIT_MS = 600_000;

let folder = "";
let whole = "";
let half = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-distill-"));
  [whole, half] = [begin("whole"), join(folder, "half")];
  await succeed("run", whole, "--yes", "--until", "synthesis");
  cpSync(whole, half, { recursive: true });
  // Standard input is no terminal that could be asked.
  expect(await fail("run", whole)).toMatch(/teachers\/stethoscope.*nobody said yes/);
  expect(existsSync(join(whole, "teachers", "stethoscope", "model.safetensors"))).toBe(true);
  await succeed("run", whole, "--yes");
}, LIMIT_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function begin(name: string): string {
  const run = join(folder, name);
  beginTinyRun(run);
  return run;
}

async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runLockstep("distill", ...args);
  expect(code, stderr).toBe(0);
  return stdout;
}

async function fail(...args: string[]): Promise<string> {
  const { code, stderr } = await runLockstep("distill", ...args);
  expect(code).toBe(1);
  const lines = stderr.trimEnd().split("\n");
  const problems = lines.filter((line) => !line.startsWith("stage "));
  expect(problems).toHaveLength(1);
  return problems[0] ?? "";
}

test("a run that is killed in every stage goes on to the same bytes as one that is not", {
  timeout: LIMIT_MS,
}, async () => {
  const run = begin("killed");
  await killInEveryStage(run);
  await succeed("run", run, "--yes");
  const content = contentOf(run);
  expect(Object.keys(content).length).toBeGreaterThan(20);
  expect(content).toEqual(contentOf(whole));
});

test("steps that workers do as jobs give the same bytes", { timeout: LIMIT_MS }, async () => {
  const queue = `sqlite:${join(folder, "node.db.jobs")}`;
  const workers = [1, 2].map(() => new LockstepProcess("worker", "--jobs", queue));
  await succeed("run", half, "--yes", "--queue", queue);
  for (const worker of workers) await worker.interrupted();
  expect(contentOf(half)).toEqual(contentOf(whole));
  expect((await handedIn(queue)).length).toBeGreaterThan(5);
});

/** Ids of a queue's jobs. */
async function handedIn(queue: string): Promise<string[]> {
  const { stdout } = await runLockstep("jobs", "list", "--queue", queue, "--json");
  return (JSON.parse(stdout) as { jobs: { id: string }[] }).jobs.map(({ id }) => id);
}

requires("chromium")("the page", () => {
  test("the page shows a step's stage, how it learned, and what the gate found kept", {
    timeout: LIMIT_MS,
  }, async () => {
    const store = join(folder, "node.db");
    const options = ["--http", "0", "--mqtt-port", "0", "--log", "info", "--store", store];
    const node = new LockstepProcess("serve", ...options);
    const { http } = JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as { http: string };
    const browser = await launchChromium();
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    const seen = { stages: 0, curves: 0, meters: 0 };
    for (const id of await handedIn(`sqlite:${store}.jobs`)) {
      await page.goto(`${http}/?view=jobs&job=${id}`);
      await page.getByRole("list", { name: "Stages of the distillation" }).waitFor();
      seen.stages += await page.locator('[aria-current="step"]').count();
      seen.curves += await page.getByRole("img", { name: /^Loss / }).count();
      seen.meters += await page.getByRole("meter", { name: /^Retention of / }).count();
      if (seen.meters === 2) await expectAccessible(page, "a step of a distillation");
    }
    expect(seen.stages).toBeGreaterThan(5);
    expect(seen.curves).toBeGreaterThan(0);
    // Of two capabilities, at the gate and of the bundle.
    expect(seen.meters).toBe(4);
    await browser.close();
    await node.interrupted();
  });
});

test("teachers are gone, what only training needed too, and status and verify say what is left", async () => {
  expect(filesBelow(whole).filter((path) => /teachers|profiles\/.*safetensors|adapters\//.test(path))).toEqual([]);
  const status = await succeed("status", whole);
  expect(status.match(/^\(x\)/gm)).toHaveLength(9);
  expect(status).toMatch(/^signal +\[#+\.*\] \d\.\d{3}/m);
  const said = await succeed("verify", whole);
  expect(said.match(/^holds: /gm)?.length).toBeGreaterThan(7);
  expect(said).toContain("teachers are gone (2)");
});

/** Prompts of the benchmark of a capability. */
function questionsOf(category: string): string[] {
  const lines = readFileSync(join(whole, "measured", category, "benchmark.jsonl"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => (JSON.parse(line) as { prompt: string }).prompt);
}

function answerOf(student: BundledStudent, prompt: string): string {
  const text = [...prompt].map((character) => student.token(character));
  const question = [student.token("<|bos|>"), ...text, student.token("<|answer|>")];
  return student.answer(question, student.route(prompt), 32);
}

test("a loader of its own finds every file as the manifest says, and the same answers", () => {
  const bundle = join(whole, "bundle");
  expect(wrongFiles(bundle)).toEqual([]);
  const student = new BundledStudent(bundle);
  const { answers } = JSON.parse(readFileSync(join(whole, "archive", "gate.json"), "utf8")) as {
    answers: { readonly [category: string]: readonly string[] };
  };
  for (const [category, said] of Object.entries(answers)) {
    const loaded = questionsOf(category).map((prompt) => answerOf(student, prompt));
    expect(loaded).toHaveLength(said.length);
    expect(new Set(loaded).size).toBeGreaterThan(2);
    // The gate asked the float32 student: where two answers were nearly as likely, one byte a number may turn them.
    expect(loaded.filter((answer, at) => answer !== said[at]).length).toBeLessThanOrEqual(said.length / 8);
  }
});

test("ask gives the answers of that loader, of a run and of a bundle", async () => {
  const bundle = join(whole, "bundle");
  const student = new BundledStudent(bundle);
  const facts = questionsOf("facts").slice(0, 3);
  const asked = await succeed("ask", whole, ...facts);
  expect(asked.split("\n").slice(0, -1)).toEqual(facts.map((question) => answerOf(student, question)));
  const all = [...facts, ...questionsOf("signal").slice(0, 3)];
  const { code, stdout, stderr } = await runLockstepOn(Buffer.from(all.join("\n")), "distill", "ask", bundle, "--json");
  expect(code, stderr).toBe(0);
  const told = stdout.split("\n").slice(0, -1);
  const wanted = all.map((question) => ({
    question,
    adapter: student.route(question),
    answer: answerOf(student, question),
  }));
  expect(told.map((line) => JSON.parse(line) as object)).toEqual(wanted);
});

test("ask refuses what its student cannot read, and a folder that has none", async () => {
  const bundle = join(whole, "bundle");
  expect(await fail("ask", bundle, "river of Mita", "river of 東京")).toMatch(
    /question 2, "river of 東京": .*leave out/,
  );
  expect(await fail("ask", bundle, "river of ".repeat(100))).toMatch(/tokens.*shorten the prompt/);
  expect(await fail("ask", bundle, "<|bos|>")).toMatch(/question 1, "<\|bos\|>": .*no text/);
  expect((await runLockstep("distill", "ask", bundle, "")).code).toBe(2);
  const changed = join(folder, "asked");
  cpSync(bundle, changed, { recursive: true });
  writeFileSync(join(changed, "router.json"), "{}");
  expect(await fail("ask", changed, "river of Mita")).toMatch(/router\.json has 2 bytes/);
  expect(await fail("ask", join(folder, "nowhere"), "river of Mita")).toMatch(/neither a run nor a bundle/);
  const young = begin("young");
  await succeed("run", young, "--yes", "--until", "prepare");
  expect(await fail("ask", young, "river of Mita")).toMatch(/has no bundle yet: go on with/);
});

test("ask ends at an unreadable line, and at Ctrl-C, while standard input stays open", async () => {
  const args = [LAUNCHER, "distill", "ask", whole];
  const refused = spawn(process.execPath, args, { stdio: ["pipe", "ignore", "ignore"] });
  refused.stdin.write("river of 東京\n");
  expect(await once(refused, "close")).toEqual([1, null]);
  const stopped = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "ignore"] });
  stopped.stdin.write("river of Mita\n");
  await once(stopped.stdout, "data");
  stopped.kill("SIGINT");
  expect(await once(stopped, "close")).toEqual([0, null]);
});

test("a bundle in one byte a number has at most 0.28 of the float32 student, and no training data", () => {
  const { bytes, float32Bytes } = JSON.parse(readFileSync(join(whole, "bundle", "manifest.json"), "utf8"));
  expect(bytes / float32Bytes).toBeLessThanOrEqual(0.28);
  const guide = readFileSync(new URL("../../docs/guides/distillation.md", import.meta.url), "utf8");
  const table = guide.slice(guide.indexOf("| file | what |"), guide.indexOf("`codes` (I8)"));
  const listed = [...table.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell = ""]) => cell.match(/[\w.]+\.\w+/g) ?? []);
  const unsigned = listed.filter((name) => name !== "manifest.json.sig");
  expect(unsigned).toHaveLength(8);
  expect(filesBelow(join(whole, "bundle"))).toEqual(unsigned.sort());
});

test("a configuration, a registry or data that changed after stage 0 is refused by name", async () => {
  const run = join(folder, "changed");
  cpSync(whole, run, { recursive: true });
  writeFileSync(join(run, "distill.yaml"), `${TINY_CONFIG}seed: 7\n`);
  expect(await fail("run", run, "--yes")).toMatch(/distill\.yaml was changed since stage 0 locked it/);
  writeFileSync(join(run, "distill.yaml"), TINY_CONFIG);
  writeFileSync(join(run, REGISTRY), TINY_TEACHERS.replace("towns", "cities"));
  expect(await fail("run", run, "--yes")).toMatch(/BestFeature\.csv was changed since stage 0 locked it/);
});

test.for([
  ["evidence cut short", "evidence/6-bundle.json", (text: string) => text.slice(0, -30), /6-bundle\.json is no JSON/],
  [
    "a file of the bundle",
    "bundle/config.json",
    (text: string) => text.replace("llama", "lama!"),
    /bundle is not what bundle made/,
  ],
] as const)("verify refuses %s that was changed", async ([, path, change, message]) => {
  const run = mkdtempSync(join(folder, "tampered-"));
  cpSync(whole, run, { recursive: true });
  const text = readFileSync(join(run, path), "utf8");
  const changed = change(text);
  expect(changed).not.toBe(text);
  writeFileSync(join(run, path), changed);
  expect(await fail("verify", run, "--no-measure")).toMatch(message);
});

test("verify refuses a run whose teacher came back", async () => {
  const run = join(folder, "returned");
  cpSync(whole, run, { recursive: true });
  mkdirSync(join(run, "teachers", "almanac"), { recursive: true });
  writeFileSync(join(run, "teachers", "almanac", "model.safetensors"), "");
  expect(await fail("verify", run, "--no-measure")).toMatch(/teachers\/almanac.*still there|is not what/);
});

test("a bundle is packed, signed, and refused once it, its signature or the key is another one", async () => {
  const [key, other, bundle] = [join(folder, "release.key"), join(folder, "other.key"), join(folder, "student")];
  for (const file of [key, other]) expect((await runLockstep("keys", "new", file)).code).toBe(0);
  await succeed("pack", whole, "--out", bundle, "--sign", key);
  expect(await succeed("verify", bundle, "--key", `${key}.pub`)).toMatch(
    /holds: the bundle is signed by key [0-9a-f]{16}/,
  );
  expect(await fail("verify", bundle, "--key", `${other}.pub`)).toMatch(/is signed by key/);
  expect(await fail("ask", bundle, "river of Mita", "--key", `${other}.pub`)).toMatch(/is signed by key/);
  expect(await succeed("ask", bundle, "river of Mita", "--key", `${key}.pub`)).toMatch(/^.+\n$/);
  expect(await fail("pack", whole, "--out", bundle)).toMatch(/is there already/);
  const others = join(folder, "others");
  cpSync(whole, others, { recursive: true });
  writeFileSync(join(others, "bundle", "config.json"), "{}");
  expect(await fail("pack", others, "--out", `${bundle}-2`, "--sign", key)).toMatch(/bundle is not what the run made/);
  expect(existsSync(`${bundle}-2`)).toBe(false);
  const manifest = join(bundle, "manifest.json");
  writeFileSync(manifest, `${readFileSync(manifest, "utf8")} `);
  expect(await fail("verify", bundle, "--key", `${key}.pub`)).toMatch(/is not what key .* has signed/);
});

test("a dry run says what would be done, and does nothing", async () => {
  const run = begin("dry");
  const said = await succeed("run", run, "--dry-run");
  expect(said).toMatch(/to do prepare +teacher-signal .* MiB {2}-> teachers\/stethoscope/);
  expect(said).toMatch(/takes away teachers\/stethoscope, teachers\/almanac/);
  expect(await fail("run", run, "--dry-run", "--seed", "7")).toMatch(/distill\.yaml says seed 42, and --seed 7/);
  expect(filesBelow(run)).toEqual([REGISTRY, "distill.yaml"]);
  writeFileSync(join(run, "distill.yaml"), TINY_CONFIG.replace("limits: {", "limits: { memoryMB: 100,"));
  expect(await fail("run", run)).toMatch(/MiB of memory, and 100 is its limit/);
});

test("a registry's mistakes are told with line and column, before anything is done", async () => {
  const run = begin("mistaken");
  writeFileSync(join(run, REGISTRY), TINY_TEACHERS.replace("23K,facts", "99K,facts"));
  expect(await fail("run", run, "--yes")).toMatch(/BestFeature\.csv:3:2: it says 99000 parameters/);
  expect(existsSync(join(run, "teachers"))).toBe(false);
  writeFileSync(join(run, REGISTRY), TINY_TEACHERS.replace("facts,", "astrology,"));
  expect(await fail("run", run, "--yes")).toMatch(/BestFeature\.csv:3:3: no benchmark is bound to "astrology"/);
});
