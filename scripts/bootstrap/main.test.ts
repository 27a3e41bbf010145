import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bringUpToDate } from "./main.js";
import { createProgress } from "./progress.js";

let root = "";
let printed = "";
const stream = {
  isTTY: false,
  write(text: string) {
    printed += text;
  },
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lockstep-main-"));
  printed = "";
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function surroundings() {
  return { root, progress: createProgress(stream, () => 0) };
}

/** A step that is done once it has run, and counts its runs. */
function step(name: string, log: string[], run: () => Promise<void> = async () => {}) {
  return {
    doing: `doing ${name}`,
    done: `did ${name}`,
    isDone: () => log.includes(name),
    async run() {
      await run();
      log.push(name);
    },
  };
}

test("steps run in order, once, with a line each; a second time nothing runs, prints or is written", async () => {
  const log: string[] = [];
  const steps = [step("install", log), step("build", log)];
  await bringUpToDate(steps, surroundings());
  expect(log).toEqual(["install", "build"]);
  expect(printed).toBe("lockstep: did install (0.0 s)\nlockstep: did build (0.0 s)\n");

  printed = "";
  rmSync(join(root, ".lockstep"), { recursive: true });
  await bringUpToDate(steps, surroundings());
  expect(log).toEqual(["install", "build"]);
  expect(printed).toBe("");
  expect(existsSync(join(root, ".lockstep"))).toBe(false);
});

test("what fails leaves no lock behind, and is done the next time", async () => {
  const log: string[] = [];
  let hasNetwork = false;
  const steps = [
    step("install", log, async () => {
      if (!hasNetwork) throw new RangeError("no network");
    }),
  ];
  await expect(bringUpToDate(steps, surroundings())).rejects.toThrow("no network");
  hasNetwork = true;
  await bringUpToDate(steps, surroundings());
  expect(log).toEqual(["install"]);
});

test("of two at once the second waits, and finds everything done", async () => {
  const log: string[] = [];
  const steps = [step("install", log, () => new Promise((resolve) => setTimeout(resolve, 300)))];
  await Promise.all([bringUpToDate(steps, surroundings()), bringUpToDate(steps, surroundings())]);
  expect(log).toEqual(["install"]);
});

test("a lock whose holders were killed is taken over; one that a child of theirs still holds is not", async () => {
  const gone = spawn(process.execPath, ["-e", ""]);
  const atWork = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(gone, "exit");
  const lock = join(root, ".lockstep/lock");
  mkdirSync(lock, { recursive: true });
  for (const pid of [gone.pid, atWork.pid]) writeFileSync(join(lock, String(pid)), "");

  const log: string[] = [];
  const waiting = bringUpToDate([step("install", log)], surroundings());
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(log).toEqual([]);
  atWork.kill("SIGKILL");
  await waiting;
  expect(log).toEqual(["install"]);
});
