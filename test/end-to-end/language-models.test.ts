import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LAUNCHER = join(ROOT, "cloud-node/bin/lockstep.js");
const GUIDE = readFileSync(join(ROOT, "docs/guides/language-models.md"), "utf8");
const SMALL = ["--recipe", "tiny", "--set", "model.width=16", "--set", "data.rows=4", "--set", "evalBatches=2"];

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-lm-"));
  copyFileSync(join(ROOT, "cloud-node/src/workloads/language-model/sonnets.txt"), at("book.txt"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const lm = (...args: string[]) => runLockstep("lm", ...args);

async function json(...args: string[]) {
  const { code, stdout, stderr } = await lm(...args, "--json");
  expect(code, stderr).toBe(0);
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  return JSON.parse(stdout);
}

/** A line of the guide, as a shell types it in the folder. */
async function typed(line: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = line.replace(/^npx lockstep /, '"$0" "$1" ');
  const child = spawn("sh", ["-c", command, process.execPath, LAUNCHER], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

test("every command of the guide does what it says, as it is printed", async () => {
  const [, yaml = ""] = /```yaml\n# small\.yaml\n([\s\S]*?)```/.exec(GUIDE) ?? [];
  writeFileSync(at("small.yaml"), yaml);
  const lines = [...GUIDE.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) => block.trimEnd().split("\n"));
  expect(lines.length).toBeGreaterThan(6);
  // Jobs are done by workers: `lm ablate --queue` is tried below, with one.
  for (const line of lines.filter((command) => !command.includes("--queue"))) {
    const { code, stdout, stderr } = await typed(line);
    // Evaluations are told wherever somebody may read them.
    const said = stderr.replaceAll(/^step \d+: train [\d.]+, val [\d.]+ nats, [\d.]+ bits per byte\n/gm, "");
    expect([line, code, said]).toEqual([line, 0, ""]);
    expect(stderr !== "").toBe(line.includes(" lm train "));
    expect(stdout.length).toBeGreaterThan(10);
  }
  for (const name of GUIDE.match(/`[a-z.]+\.(safetensors|csv|jsonl|json|md|svg)`/g) ?? []) {
    const file = name.slice(1, -1);
    const isThere = ["run", "study"].some((place) => existsSync(at(join(place, file))));
    expect([file, isThere || /^(tokenizer|study)/.test(file)]).toEqual([file, true]);
  }
  const small = JSON.parse(readFileSync(at("small/summary.json"), "utf8"));
  expect(small).toMatchObject({ steps: 40, vocabulary: 257, config: { seed: 7, optimizer: { learningRate: 0.003 } } });
});

test("the guide has every option of a run, and no other", () => {
  const config = JSON.parse(readFileSync(at("small/config.json"), "utf8"));
  const names = Object.entries(config).flatMap(([name, value]) =>
    typeof value === "object" && value !== null ? Object.keys(value) : [name],
  );
  const [, table = ""] = /\| option \| values \|\n([\s\S]*?)\n\n/.exec(GUIDE) ?? [];
  for (const name of [...names, "kvHeads", "hidden", "shards"])
    expect(table, name).toMatch(new RegExp(`[.\`]${name}\``));
});

test("the guide has every recipe that the help has, and lines of help fit on a terminal", async () => {
  const helps = await Promise.all(["train", "sample", "ablate"].map(async (command) => await lm(command, "--help")));
  const [, recipes = ""] = /Recipes: ([\s\S]*?)\./.exec(helps[0]?.stdout ?? "") ?? [];
  const [, table = ""] = /\| recipe \| is \|\n\|---\|---\|\n([\s\S]*?)\n\n/.exec(GUIDE) ?? [];
  const names = recipes.replace(" (default)", "").split(/,\s+/);
  expect(names).toContain("nanogpt-cpu");
  expect([...table.matchAll(/^\| `([a-z0-9-]+)`/gm)].map(([, name]) => name)).toEqual(names);
  for (const { stdout } of helps) expect(stdout.split("\n").filter(({ length }) => length > 80)).toEqual([]);
});

test("Ctrl-C keeps a checkpoint, and going on from it ends with the same bits as never having stopped", async () => {
  const run = new LockstepProcess("lm", "train", at("book.txt"), "--out", at("stopped"), ...SMALL, "--steps", "400");
  while (!existsSync(at("stopped/checkpoint.safetensors"))) await new Promise((resolve) => setTimeout(resolve, 20));
  const { code, stdout, stderr } = await run.interrupted();
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(
    /^(?:step \d+: .*\n)*lockstep: stopped after step \d+ of 400: .*stopped keeps a checkpoint: go on with --resume\n$/,
  );
  expect(readdirSync(at("stopped")).filter((name) => name.endsWith(".part"))).toEqual([]);
  const resumed = await json("train", at("book.txt"), "--out", at("stopped"), "--resume");
  const whole = await json("train", at("book.txt"), "--out", at("whole"), ...SMALL, "--steps", "400");
  expect(resumed.final).toEqual(whole.final);
  expect(resumed.best).toEqual(whole.best);
  const prompt = ["--prompt", "When", "--tokens", "100"];
  const [one, other] = [await json("sample", at("stopped"), ...prompt), await json("sample", at("whole"), ...prompt)];
  expect(other.samples).toEqual(one.samples);
  expect(one.samples[0]).toMatch(/^When/);
});

test("a run goes on with the backend that it began with, and another one is told", async () => {
  const begin = [
    "train",
    at("book.txt"),
    "--out",
    at("relaxed"),
    ...SMALL,
    "--steps",
    "400",
    "--backend",
    "wasm-relaxed",
  ];
  const run = new LockstepProcess("lm", ...begin);
  while (!existsSync(at("relaxed/best.safetensors"))) await new Promise((resolve) => setTimeout(resolve, 20));
  await run.interrupted();
  const resume = ["train", at("book.txt"), "--out", at("relaxed"), "--resume"];
  const quiet = await lm(...resume);
  expect([quiet.code, quiet.stderr.includes("goes on with")]).toEqual([0, false]);
  expect(JSON.parse(readFileSync(at("relaxed/summary.json"), "utf8"))).toMatchObject({ backend: "wasm-relaxed" });
  const { code, stderr } = await lm(...resume, "--backend", "js");
  expect([code, stderr]).toEqual([0, expect.stringContaining("by wasm-relaxed up to here, and goes on with js")]);
});

test("an ablation tells which of its runs diverge, does the others, and does not mix backends", async () => {
  const study = ["ablate", at("book.txt"), "--out", at("wild-study"), ...SMALL, "--steps", "20", "--seeds", "1"];
  const vary = [
    "--set",
    "schedule.warmup=0",
    "--set",
    "optimizer.weightDecay=1e9",
    "--vary",
    "optimizer.learningRate=1e-12,1e30",
  ];
  for (const _ of [1, 2]) {
    const { rows, runs } = await json(...study, ...vary);
    expect(rows).toMatchObject([
      { settings: ["optimizer.learningRate=1e-12"], divergedSeeds: [] },
      { settings: ["optimizer.learningRate=1e30"], divergedSeeds: [1], valLoss: null },
    ]);
    expect(runs[1].divergence).toMatch(/^step \d+: the (loss|gradient) is no finite number$/);
  }
  const { code, stderr } = await lm(...study, ...vary, "--backend", "js");
  expect([code, stderr]).toEqual([2, expect.stringContaining("of another backend or tokenizer")]);
});

test("an ablation as jobs has the figures of the same runs done here", async () => {
  const common = [at("book.txt"), ...SMALL, "--steps", "10", "--seeds", "2", "--vary", "model.tied=true,false"];
  const queue = `sqlite:${at("study.jobs")}`;
  const worker = new LockstepProcess("worker", "--jobs", queue);
  try {
    const byJobs = await json("ablate", ...common, "--out", at("by-jobs"), "--queue", queue);
    const here = await json("ablate", ...common, "--out", at("here"));
    const losses = ({ runs }: { runs: { valLoss: number }[] }) => runs.map(({ valLoss }) => valLoss);
    expect(losses(byJobs)).toHaveLength(4);
    expect(losses(byJobs)).toEqual(losses(here));
    expect(here.rows[0].valLoss.deviation).toBeGreaterThan(0);
  } finally {
    await worker.interrupted();
  }
});

describe("bad input", () => {
  test("whatever cannot be trained on or asked is refused in one line, and leaves nothing", async () => {
    await json("train", at("book.txt"), "--out", at("run1"), ...SMALL, "--steps", "2");
    writeFileSync(at("empty.txt"), " \n\t\n");
    writeFileSync(at("short.txt"), "to be or not");
    writeFileSync(at("latin.txt"), Buffer.from([0x61, 0xe9, 0x62]));
    writeFileSync(at("bad.yaml"), "model: [1, 2\n");
    writeFileSync(at("bad.json"), "{}");
    writeFileSync(at("noise.safetensors"), Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 7919) % 251)));
    const checkpoint = readFileSync(at("run1/checkpoint.safetensors"));
    writeFileSync(at("cut.safetensors"), checkpoint.subarray(0, checkpoint.length - 5));
    const train = ["train", at("book.txt"), "--out", at("none")];
    for (const [args, code, part] of [
      [["train", at("empty.txt"), "--out", at("none")], 1, "empty.txt has no text"],
      [["train", at("latin.txt"), "--out", at("none")], 1, "latin.txt is not in UTF-8"],
      [["train", at("short.txt"), "--out", at("none")], 1, "the shorter part has 2"],
      [["train", at("absent.txt"), "--out", at("none")], 1, "absent.txt: there is no such file"],
      [["train", folder, "--out", at("none")], 1, "is a folder"],
      [["train", at("book.txt")], 2, "required option '--out <RUN>'"],
      [[...train, "--recipe", "soup"], 2, 'there is no recipe "soup"'],
      [[...train, "--set", "model.width=9"], 2, "width must be a multiple of heads"],
      [[...train, "--set", "width"], 2, '"width" is no setting'],
      [[...train, "--config", at("bad.yaml")], 1, "bad.yaml is no YAML"],
      [[...train, "--tokenizer", at("bad.json")], 1, "no tokenizer of Hugging Face"],
      [[...train, "--set", "data.tokenizer=hf"], 1, "give it with --tokenizer FILE"],
      [[...train, "--backend", "abacus"], 2, "allowed are wasm-strict"],
      [[...train, "--resume"], 1, "there is no .*none"],
      [["train", at("book.txt"), "--out", at("run1")], 1, "there is a run in .*run1"],
      [["train", at("book.txt"), "--out", at("run1"), "--resume", "--steps", "9"], 2, "leave out --steps"],
      [["train", at("short.txt"), "--out", at("run1"), "--resume"], 1, "not trained on|another text"],
      [["sample", at("absent")], 1, "there is no .*absent"],
      [["sample", at("noise.safetensors")], 1, "noise.safetensors"],
      [["sample", at("cut.safetensors")], 1, "cut.safetensors has \\d+ bytes of \\d+"],
      [["sample", at("run1"), "--prompt", "x".repeat(33)], 1, "the prompt has 33 tokens"],
      [["sample", at("run1"), "--prompt", "Ω"], 1, 'not trained on "Ω"'],
      [["sample", at("run1"), "--top-p", "1.5"], 2, "above 0, up to 1"],
      [["sample", at("run1"), "--stop", ""], 2, "--stop is empty"],
      [["ablate", at("book.txt"), "--out", at("none"), "--vary", "model.tied"], 2, "is nothing to vary"],
      [["ablate", at("book.txt"), "--out", at("none"), "--vary", "model.tied=1,2"], 2, "model.tied: Invalid type"],
    ] as const) {
      const before = readdirSync(folder).toSorted();
      const found = await lm(...args);
      expect([args, found.code, found.stderr]).toEqual([args, code, expect.stringMatching(part)]);
      expect(found.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(found.stdout).toBe("");
      expect(readdirSync(folder).toSorted()).toEqual(before);
    }
  });

  test("a graphics processor trains, or one line says what is missing and what to do", async () => {
    const { code, stderr } = await lm("train", at("book.txt"), "--out", at("gpu"), ...SMALL, "--backend", "webgpu");
    if (code === 0) {
      expect(JSON.parse(readFileSync(at("gpu/summary.json"), "utf8"))).toMatchObject({ backend: "webgpu" });
      return;
    }
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/(no graphics processor|npm package webgpu).*: install /),
    ]);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(existsSync(at("gpu"))).toBe(false);
  });

  test("a loss that is no number ends the run with its step, and the checkpoint before it is good", async () => {
    const wild = [
      "--set",
      "optimizer.learningRate=1e20",
      "--set",
      "schedule.warmup=0",
      "--set",
      "optimizer.weightDecay=1e20",
    ];
    const { code, stderr } = await lm("train", at("book.txt"), "--out", at("wild"), ...SMALL, ...wild);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/step \d+: the (loss|gradient) is no finite number: .*last good/),
    ]);
    expect((await json("sample", at("wild"), "--newest", "--tokens", "5")).step).toBe(0);
  });

  test.skipIf(process.platform === "win32")(
    "a disk without room ends the run, and what was kept before stays whole",
    async () => {
      const args = ["lm", "train", at("book.txt"), "--out", at("full"), ...SMALL, "--steps", "2"];
      // Files may grow to 8 blocks of 512 bytes: less than a checkpoint has.
      const script = 'ulimit -f 8; exec "$@"';
      const child = spawn("sh", ["-c", script, "sh", process.execPath, LAUNCHER, ...args], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      const [said, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
      expect([code, said]).toEqual([1, expect.stringMatching(/cannot be written \(.*\): make room there/)]);
      expect(readdirSync(at("full")).toSorted()).toEqual(["config.json", "metrics.csv", "metrics.jsonl"]);
    },
  );
});
