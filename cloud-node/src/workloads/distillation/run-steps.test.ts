import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { evidencePath, readEvidence } from "./evidence.ts";
import { readRemovals } from "./removal-journal.ts";
import { stepsHere } from "./run-step-here.ts";
import { runSteps, type StepRunner } from "./run-steps.ts";
import type { Step } from "./step.ts";
import { digestTree } from "./tree-digest.ts";

let folder = "";
let ran: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-steps-"));
  ran = [];
  await writeFile(join(folder, "source.txt"), "ab");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Writes its inputs, joined, behind its name. */
function joining(name: string, inputs: readonly string[], more: Partial<Step> = {}): Step {
  return {
    ...{ stage: "profiling", name, inputs, output: `made/${name}`, options: { seed: 1 } },
    run: async ({ in: place, out }, { onLoss }) => {
      ran.push(name);
      onLoss(1, 0.5);
      const texts = await Promise.all(inputs.map((input) => textOf(place(input))));
      await writeFile(join(out, "text"), `${name}(${texts.join(",")})`);
      return { length: texts.length };
    },
    ...more,
  };
}

const textOf = (path: string) => readFile(path.endsWith(".txt") ? path : join(path, "text"), "utf8");
const CHAIN = () => [joining("one", ["source.txt"]), joining("two", ["made/one"]), joining("three", ["made/two"])];
const YES = { onStep: () => {}, confirmRemoval: async () => true };

function here(memoryMB = 1 << 20, residentBytes = () => 0): StepRunner {
  return stepsHere({
    backend: () => Promise.reject(new Error("nothing computes here")),
    ...{ nowMs: () => 0, residentBytes, signal: new AbortController().signal, memoryMB },
    ...{ onProgress: () => {}, onLog: () => {}, onLoss: () => {} },
  });
}

test("what is done is not done again, and what follows a change is", async () => {
  await runSteps(folder, CHAIN(), here(), YES);
  await runSteps(folder, CHAIN(), here(), YES);
  expect(ran).toEqual(["one", "two", "three"]);
  expect(await textOf(join(folder, "made/three"))).toBe("three(two(one(ab)))");
  await writeFile(join(folder, "source.txt"), "cd");
  await runSteps(folder, CHAIN(), here(), YES);
  expect(ran).toEqual(["one", "two", "three", "one", "two", "three"]);
  const other = [...CHAIN().slice(0, 2), joining("three", ["made/two"], { options: { seed: 2 } })];
  await runSteps(folder, other, here(), YES);
  expect(ran.slice(6)).toEqual(["three"]);
});

test("evidence has what every step read and made, by content", async () => {
  await runSteps(folder, CHAIN(), here(), YES);
  const steps = (await readEvidence(folder, "profiling"))?.steps ?? [];
  expect(steps.map(({ name }) => name)).toEqual(["one", "two", "three"]);
  expect(steps[1]?.inputs).toEqual({ "made/one": steps[0]?.output.sha256 });
  expect(steps[2]?.output.sha256).toBe((await digestTree(join(folder, "made/three"))).sha256);
  expect(steps[2]?.facts).toEqual({ length: 1 });
});

test.for(["before the work", "in the middle of a file", "before its output has its name", "before its evidence"])(
  "a run that died %s goes on to the same bytes",
  async (moment) => {
    const whole = await mkdtemp(join(tmpdir(), "run-steps-whole-"));
    await writeFile(join(whole, "source.txt"), "ab");
    await runSteps(whole, CHAIN(), here(), YES);
    const die = new Error("killed");
    const dying: StepRunner = async (step, root, out) => {
      if (step.name !== "two") return await here()(step, root, out);
      if (moment === "in the middle of a file") await writeFile(join(out, "text"), "tw");
      if (moment === "before its output has its name") await here()(step, root, out);
      if (moment === "before its evidence") {
        await mkdir(join(root, "made/two"), { recursive: true });
        await writeFile(join(root, "made/two/text"), "half");
      }
      throw die;
    };
    await expect(runSteps(folder, CHAIN(), dying, YES)).rejects.toBe(die);
    await runSteps(folder, CHAIN(), here(), YES);
    expect((await digestTree(join(folder, "made"))).sha256).toBe((await digestTree(join(whole, "made"))).sha256);
    expect(existsSync(join(folder, "partial"))).toBe(false);
    await rm(whole, { recursive: true });
  },
);

/** Two that need nothing of each other, and one that needs both. */
const PAIR = () => [
  joining("left", ["source.txt"]),
  joining("right", ["source.txt"]),
  joining("both", ["made/left", "made/right"]),
];

test("steps that do not need each other are done at once, and leave what they leave one after the other", async () => {
  await runSteps(folder, PAIR(), here(), YES);
  const evidence = await readFile(join(folder, evidencePath("profiling")), "utf8");
  await rm(join(folder, "made"), { recursive: true });
  await rm(join(folder, "evidence"), { recursive: true });
  const rightIsDone = Promise.withResolvers<void>();
  const waiting: StepRunner = async (step, root, out) => {
    if (step.name === "left") await rightIsDone.promise;
    const done = await here()(step, root, out);
    if (step.name === "right") rightIsDone.resolve();
    return done;
  };
  await runSteps(folder, PAIR(), waiting, { ...YES, atOnce: 3 });
  expect(ran.slice(3)).toEqual(["right", "left", "both"]);
  expect(await readFile(join(folder, evidencePath("profiling")), "utf8")).toBe(evidence);
});

test("where one of several steps fails, what the others have made is kept", async () => {
  const lame: StepRunner = async (step, root, out) => {
    if (step.name === "left") throw new Error("lame");
    return await here()(step, root, out);
  };
  await expect(runSteps(folder, PAIR(), lame, { ...YES, atOnce: 2 })).rejects.toThrow("lame");
  await runSteps(folder, PAIR(), here(), { ...YES, atOnce: 2 });
  expect(ran).toEqual(["right", "left", "both"]);
});

test("what lies where an output belongs, and no run has made, is not touched", async () => {
  await mkdir(join(folder, "made/one"), { recursive: true });
  await writeFile(join(folder, "made/one/text"), "somebody's own");
  const run = runSteps(folder, CHAIN(), here(), YES);
  await expect(run).rejects.toMatchObject({ code: "changed-output", problem: expect.stringContaining("made/one") });
  expect(await textOf(join(folder, "made/one"))).toBe("somebody's own");
});

test("an output that somebody changed is refused by name, and made again once it is deleted", async () => {
  await runSteps(folder, CHAIN(), here(), YES);
  await writeFile(join(folder, "made/two/text"), "other");
  const again = runSteps(folder, CHAIN(), here(), YES);
  await expect(again).rejects.toMatchObject({ code: "changed-output", problem: expect.stringContaining("made/two") });
  await rm(join(folder, "made/two"), { recursive: true });
  await runSteps(folder, CHAIN(), here(), YES);
  expect(ran.slice(3)).toEqual(["two"]);
});

test("a link among the inputs is refused: it would outlive what it points at", async () => {
  await rm(join(folder, "source.txt"));
  await writeFile(join(folder, "elsewhere"), "ab");
  await symlink(join(folder, "elsewhere"), join(folder, "source.txt"));
  await expect(runSteps(folder, CHAIN(), here(), YES)).rejects.toMatchObject({ code: "changed-output" });
});

test("a file that was locked may not change, and is named", async () => {
  const locked = () => [joining("lock", ["source.txt"], { isLock: true }), ...CHAIN()];
  await runSteps(folder, locked(), here(), YES);
  await writeFile(join(folder, "source.txt"), "cd");
  const again = runSteps(folder, locked(), here(), YES);
  await expect(again).rejects.toMatchObject({
    code: "changed-file",
    problem: expect.stringContaining("source.txt was"),
  });
  await rm(join(folder, "source.txt"));
  await expect(runSteps(folder, locked(), here(), YES)).rejects.toMatchObject({ code: "changed-file" });
  expect(ran).toHaveLength(4);
});

test("what is taken away stays away, is no loss to the steps that used it, and is not taken without a yes", async () => {
  const removes = { when: "before", paths: ["made/one"], isAsked: true } as const;
  const steps = () => [...CHAIN(), joining("four", ["made/three"], { removes })];
  const no = runSteps(folder, steps(), here(), { ...YES, confirmRemoval: async () => false });
  await expect(no).rejects.toMatchObject({ code: "not-confirmed", problem: expect.stringContaining("made/one") });
  expect(existsSync(join(folder, "made/one/text"))).toBe(true);
  const { sha256 } = await digestTree(join(folder, "made/one"));
  await runSteps(folder, steps(), here(), YES);
  expect(existsSync(join(folder, "made/one"))).toBe(false);
  expect(await readRemovals(folder)).toEqual([{ path: "made/one", sha256, by: "four" }]);
  await runSteps(folder, steps(), here(), YES);
  expect(ran).toEqual(["one", "two", "three", "four"]);
  // Somebody who brings it back, or dies with half of it removed, does not undo the removal.
  await mkdir(join(folder, "made/one"));
  await writeFile(join(folder, "made/one/text"), "half of it");
  await runSteps(folder, steps(), here(), YES);
  expect(existsSync(join(folder, "made/one"))).toBe(false);
  expect(ran).toHaveLength(4);
});

test("evidence of another shape is refused with the field that is wrong", async () => {
  await runSteps(folder, CHAIN(), here(), YES);
  const path = join(folder, evidencePath("profiling"));
  const text = await readFile(path, "utf8");
  for (const damaged of ["", "[1]", text.slice(0, -20), text.replace('"version": 1', '"version": 2')]) {
    await writeFile(path, damaged);
    await expect(runSteps(folder, CHAIN(), here(), YES)).rejects.toMatchObject({ code: "bad-evidence" });
  }
});

test("a step is stopped before it has taken the memory that it may have", async () => {
  let bytes = 0;
  const growing = here(100, () => {
    bytes += 40 << 20;
    return bytes;
  });
  await expect(runSteps(folder, CHAIN(), growing, YES)).rejects.toMatchObject({ code: "memory-limit" });
  expect(bytes).toBeLessThan(200 << 20);
  expect(existsSync(join(folder, "made/one"))).toBe(false);
});

test("an input that was not declared is our own mistake, and said", async () => {
  const sly = joining("sly", [], { run: async ({ in: place }) => ({ path: place("source.txt") }) });
  await expect(runSteps(folder, [sly], here(), YES)).rejects.toThrow(/did not declare/);
});

test("two processes do not run one folder", async () => {
  const outer = joining("outer", [], {
    run: async () => {
      await expect(runSteps(folder, CHAIN(), here(), YES)).rejects.toMatchObject({ code: "run-busy" });
      return {};
    },
  });
  await runSteps(folder, [outer], here(), YES);
  expect(existsSync(join(folder, "run.lock"))).toBe(false);
});
