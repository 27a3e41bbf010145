import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OS_PACKAGES } from "../../scripts/os-packages.js";
import { readRequest as readBenchRequest } from "../bench/bench-request.ts";
import { BENCHES } from "../bench/registry.ts";
import { KeptRun, lockRun, type StepOutcome } from "./kept-run.ts";
import { readRequest } from "./request.ts";
import { runChild } from "./run-child.ts";
import { heldAgainst, runStep } from "./run-step.ts";
import { sourceDigest } from "./source-digest.ts";
import { STEPS, type Step } from "./steps.ts";
import { isReproduced, type Summary, summaryPage } from "./summary.ts";

const SIZE = "npm run bench -- size";
/** Linux has no process of a higher number. */
const MOST_PIDS = 2 ** 22;
const NEVER = new AbortController().signal;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-reproduce-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function outcome(more: Partial<StepOutcome> = {}): StepOutcome {
  return {
    ...{ name: "size", command: SIZE, outcome: "measured", seconds: 3, load: 1 },
    ...{ date: "2026-11-22T20:00:00Z", goalsMissed: [], cells: 1, departures: [], rowsMissing: [] },
    ...more,
  };
}

function summary(more: Partial<Summary> = {}): Summary {
  const told = { command: "npm run reproduce -- --quick", form: "quick", date: "2026-11-22" } as const;
  return { ...told, machine: [["processor", "one"]], steps: [outcome()], figures: [], ...more };
}

test("every benchmark is a step, and what a step types is what that benchmark, or a test, takes", () => {
  const names = STEPS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect([...BENCHES.keys()].filter((name) => !names.includes(name))).toEqual([]);
  const known = OS_PACKAGES.map(({ name }) => name);
  for (const { name, kind, plans, needs, data } of STEPS) {
    for (const plan of Object.values(plans)) {
      if (!("args" in plan)) continue;
      if (kind === "bench") expect(readBenchRequest([name, ...plan.args])).toMatchObject({ request: { name } });
      else for (const file of plan.args) expect(existsSync(new URL(`../../${file}`, import.meta.url))).toBe(true);
      if (plan.args.includes("DATA")) expect(data).toBeDefined();
    }
    expect(needs.filter((need) => !known.includes(need))).toEqual([]);
  }
});

test("every test that types a guide is a step", () => {
  const folder = new URL("../end-to-end/", import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(".test.ts"));
  const typing = files.filter((file) => /TypedGuide|docs\/guides\//.test(readFileSync(new URL(file, folder), "utf8")));
  expect(typing.length).toBeGreaterThan(8);
  const steps = STEPS.flatMap(({ plans: { full } }) => ("args" in full ? full.args : []));
  expect(typing.filter((file) => !steps.includes(`test/end-to-end/${file}`))).toEqual([]);
});

test("what a quick run measures is held against something", () => {
  const idle = STEPS.filter(({ kind, plans, quickHolds }) => kind === "bench" && "args" in plans.quick && !quickHolds);
  expect(idle.map(({ name }) => name)).toEqual([]);
});

test.for([
  [["--only", "magic"], /^reproduce: there is no "magic"; NAME is one of: readme, size,/],
  [["--slow"], /^reproduce: Unknown option '--slow'; --help lists the options$/],
  [["size"], /^reproduce: Unexpected argument 'size'/],
] as const)("%j is refused in words", ([args, words]) => {
  const read = readRequest(args);
  expect("refusal" in read ? read.refusal : read).toMatch(words);
});

test("what was measured is kept under the digest of the code and the options, and tried again where it was not", () => {
  const key = { digest: "a", form: "quick", data: "" } as const;
  const first = new KeptRun(folder, key, false);
  first.keep(outcome());
  first.keep(outcome({ name: "wire", outcome: "not run", reason: "needs tcpdump" }));
  const again = new KeptRun(folder, key, false);
  expect(again.done("size", SIZE)).toEqual(outcome());
  expect(again.done("wire", SIZE)).toBeUndefined();
  expect(again.done("size", `${SIZE} --quick`)).toBeUndefined();
  expect(new KeptRun(folder, { ...key, digest: "b" }, false).done("size", SIZE)).toBeUndefined();
  new KeptRun(folder, key, false).keep(outcome());
  expect(new KeptRun(folder, key, true).done("size", SIZE)).toBeUndefined();
});

test("a state that was cut off begins anew", () => {
  const key = { digest: "a", form: "quick", data: "" } as const;
  new KeptRun(folder, key, false).keep(outcome());
  const file = join(folder, "state.json");
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 40));
  expect(new KeptRun(folder, key, false).done("size", SIZE)).toBeUndefined();
});

test("the digest is of the code in a clone, committed or not, and of no words about it", () => {
  expect(() => sourceDigest(folder)).toThrow(/^reproduce: no checkout: git fatal: not a git repository/);
  execFileSync("git", ["init", "--quiet"], { cwd: folder });
  mkdirSync(join(folder, "scripts"));
  writeFileSync(join(folder, "scripts", "bench.js"), "1");
  const before = sourceDigest(folder);
  writeFileSync(join(folder, "scripts", "words.md"), "");
  writeFileSync(join(folder, "README.md"), "");
  expect(sourceDigest(folder)).toBe(before);
  writeFileSync(join(folder, "scripts", "bench.js"), "2");
  expect(sourceDigest(folder)).not.toBe(before);
});

test("a folder is for one run at a time, and a lock whose process is gone holds nobody up", async () => {
  const unlock = await lockRun(folder);
  await expect(lockRun(folder)).rejects.toThrow(/^reproduce: busy: another process has .*run\.lock, where/);
  await unlock();
  writeFileSync(join(folder, "run.lock"), `${MOST_PIDS + 1}\n`);
  await (await lockRun(folder))();
  expect(existsSync(join(folder, "run.lock"))).toBe(false);
});

test("a step that lacks a program, or its data, is not run and says what it needs, and never passed", async () => {
  const kept = new KeptRun(folder, { digest: "a", form: "full", data: "" }, false);
  const place = { form: "full", data: undefined, kept, stated: folder, stop: NEVER } as const;
  const codec = STEPS.find(({ name }) => name === "codec") as Step;
  expect(await runStep(codec, place)).toMatchObject({
    ...{ outcome: "not run", command: "npm run bench -- codec --data DIR" },
    reason: expect.stringMatching(/^needs --data DIR, a folder with telemetry/),
  });
  expect(await runStep(codec, { ...place, data: folder })).toMatchObject({
    reason: "needs telemetry in the folder of --data",
  });
  const [row] = OS_PACKAGES;
  const commands = row?.commands.splice(0) ?? [];
  try {
    const asked = { ...codec, needs: [row?.name ?? ""] };
    expect(await runStep(asked, place)).toMatchObject({
      outcome: "not run",
      reason: expect.stringMatching(/^needs mosquitto; on Debian: sudo apt-get install/),
    });
  } finally {
    row?.commands.push(...commands);
  }
});

test("what was measured is held against the documents as they are now, and not as they were", () => {
  const kept = new KeptRun(folder, { digest: "a", form: "full", data: "" }, false);
  const page = readFileSync(new URL("../../docs/results/size.md", import.meta.url), "utf8");
  writeFileSync(join(kept.pages, "size.md"), page);
  writeFileSync(join(folder, "size.md"), page);
  const size = STEPS.find(({ name }) => name === "size") as Step;
  const place = { form: "full", data: undefined, kept, stated: folder, stop: NEVER } as const;
  expect(heldAgainst(size, place)).toMatchObject({ departures: [], rowsMissing: [] });
  writeFileSync(join(folder, "size.md"), page.replaceAll("18151", "18152"));
  expect(heldAgainst(size, place).departures?.length).toBeGreaterThan(0);
});

test("a child that is stopped takes what it started with it, though that does not listen", async () => {
  const stop = new AbortController();
  const log = join(folder, "log");
  const deaf = "process.on('SIGINT', () => {}); console.log(process.pid); setInterval(() => {}, 1000);";
  const parent = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(deaf)}], { stdio: "inherit" });
    process.on("SIGINT", () => process.exit(130)); setInterval(() => {}, 1000);`;
  const order = { args: ["-e", parent], cwd: folder, log, scratch: folder, mostMs: Number.POSITIVE_INFINITY };
  const ended = runChild({ ...order, stop: stop.signal });
  while (!existsSync(log) || !/\n/.test(readFileSync(log, "utf8"))) await new Promise((done) => setTimeout(done, 20));
  const pid = Number(readFileSync(log, "utf8"));
  stop.abort();
  expect(await ended).toEqual({ code: 130, signal: null, isLate: false });
  await expect.poll(() => isAlive(pid)).toBe(false);
});

test("a child that takes longer than it may is ended, and said to be late", async () => {
  const args = ["-e", "setInterval(() => {}, 1000)"];
  const order = { args, cwd: folder, log: join(folder, "log"), scratch: folder, mostMs: 300, stop: NEVER };
  expect(await runChild(order)).toEqual({ code: null, signal: "SIGINT", isLate: true });
});

test("exit code 1 is for what must be the same, and for steps that failed; times are told and pass", () => {
  const departure = { place: "size › main", stated: "1", measured: "2", distance: 1 } as const;
  const departing = (steadiness: "exact" | "timing") =>
    summary({ steps: [outcome({ departures: [{ ...departure, steadiness }] })] });
  expect(isReproduced(summary())).toBe(true);
  expect(isReproduced(departing("timing"))).toBe(true);
  expect(isReproduced(departing("exact"))).toBe(false);
  expect(isReproduced(summary({ steps: [outcome({ outcome: "failed" })] }))).toBe(false);
  expect(isReproduced(summary({ steps: [outcome({ rowsMissing: ["size › main › 3"] })] }))).toBe(false);
  const figure = { document: "README.md", text: "{538} times", place: "wire › goals", stated: 538, measured: 600 };
  const apart = { ...figure, steadiness: "exact", isHeld: false, distance: 0.115 } as const;
  expect(isReproduced(summary({ figures: [apart] }))).toBe(false);
  const late = { ...apart, document: "docs/late.md", steadiness: "timing" } as const;
  const page = summaryPage(summary({ figures: [late, apart] }));
  expect(page).toMatch(/## What no longer holds[^#]*README\.md[^#]*## Times that are apart[^#]*docs\/late\.md/);
  expect(page).toContain("| README.md | {538} times | 538 | 600 | +11.5 % | exact |");
  expect(page).toContain("`npm run reproduce -- --quick`, 2026-11-22, on one, Node ");
});

test("a page says what was not run, and counts it nowhere else", () => {
  const page = summaryPage(
    summary({ steps: [outcome(), outcome({ name: "wire", outcome: "not run", reason: "needs X" })] }),
  );
  expect(page).toContain("1 of 2 steps ran");
  expect(page).toContain("- not run: wire: needs X");
});

function isAlive(pid: number): boolean {
  try {
    // A zombie that nobody waits for is gone, too
    return process.kill(pid, 0) && !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
