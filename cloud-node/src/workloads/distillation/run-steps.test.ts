import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { evidencePath, readEvidence } from "./evidence.ts";
import { REMOVAL_FILE, readRemovals } from "./removal-journal.ts";
import { PARTIAL_FOLDER } from "./run-place.ts";
import { stepsHere } from "./run-step-here.ts";
import { runSteps } from "./run-steps.ts";
import type { Step } from "./step.ts";
import type { StepRunner } from "./step-output.ts";
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
const REMOVING = { when: "before", paths: ["made/one"], isAsked: true } as const;
const removing = () => [...CHAIN(), joining("four", ["made/three"], { removes: REMOVING })];
const KILLED = new Error("killed");
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
    const steps = () =>
      CHAIN().map((step, at) => ({
        ...step,
        stage: (["profiling", "synthesis", "bundle"] as const)[at] ?? step.stage,
      }));
    await runSteps(whole, steps(), here(), YES);
    const obstacle = join(folder, evidencePath("synthesis"));
    const dying: StepRunner = async (step, root, out) => {
      if (step.name !== "two") return await here()(step, root, out);
      if (moment === "in the middle of a file") await writeFile(join(out, "text"), "tw");
      if (!moment.startsWith("before its")) throw KILLED;
      const result = await here()(step, root, out);
      // What stands where the output, or its evidence, is to be written, ends the run at that very moment.
      await mkdir(moment === "before its evidence" ? obstacle : join(root, PARTIAL_FOLDER, "two.json"), {
        recursive: true,
      });
      return result;
    };
    await expect(runSteps(folder, steps(), dying, YES)).rejects.toThrow();
    expect(existsSync(join(folder, "made/two"))).toBe(moment === "before its evidence");
    await rm(obstacle, { recursive: true, force: true });
    if (moment === "before its output has its name")
      await rm(join(folder, PARTIAL_FOLDER, "two.json"), { recursive: true });
    await runSteps(folder, steps(), here(), YES);
    expect((await digestTree(join(folder, "made"))).sha256).toBe((await digestTree(join(whole, "made"))).sha256);
    expect(await readEvidence(folder, "synthesis")).toEqual(await readEvidence(whole, "synthesis"));
    expect(existsSync(join(folder, PARTIAL_FOLDER))).toBe(false);
    await rm(whole, { recursive: true });
  },
);

test("what is where an output belongs, and no step made, is somebody's: it is refused, and left as it is", async () => {
  await mkdir(join(folder, "made/two"), { recursive: true });
  await writeFile(join(folder, "made/two/main.c"), "int main;");
  await expect(runSteps(folder, CHAIN(), here(), YES)).rejects.toMatchObject({
    code: "changed-output",
    problem: expect.stringContaining("made/two is there already"),
  });
  expect(await readFile(join(folder, "made/two/main.c"), "utf8")).toBe("int main;");
  expect(ran).toEqual(["one"]);
});

test("what somebody put in the place of an output that would be made again is left as it is, too", async () => {
  await runSteps(folder, CHAIN(), here(), YES);
  await writeFile(join(folder, "made/one/notes"), "mine");
  await writeFile(join(folder, "source.txt"), "cd");
  await expect(runSteps(folder, CHAIN(), here(), YES)).rejects.toMatchObject({ code: "changed-output" });
  expect(await readFile(join(folder, "made/one/notes"), "utf8")).toBe("mine");
});

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
    if (step.name === "left") throw KILLED;
    return await here()(step, root, out);
  };
  await expect(runSteps(folder, PAIR(), lame, { ...YES, atOnce: 2 })).rejects.toBe(KILLED);
  await runSteps(folder, PAIR(), here(), { ...YES, atOnce: 2 });
  expect(ran).toEqual(["right", "left", "both"]);
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
  const no = runSteps(folder, removing(), here(), { ...YES, confirmRemoval: async () => false });
  await expect(no).rejects.toMatchObject({ code: "not-confirmed", problem: expect.stringContaining("made/one") });
  expect(existsSync(join(folder, "made/one/text"))).toBe(true);
  const { sha256 } = await digestTree(join(folder, "made/one"));
  await runSteps(folder, removing(), here(), YES);
  expect(existsSync(join(folder, "made/one"))).toBe(false);
  expect(await readRemovals(folder)).toEqual([{ path: "made/one", sha256, by: "four", state: "done" }]);
  await runSteps(folder, removing(), here(), YES);
  expect(ran).toEqual(["one", "two", "three", "four"]);
});

test("what somebody puts back after its removal is refused by name, and left as it is", async () => {
  await runSteps(folder, removing(), here(), YES);
  await mkdir(join(folder, "made/one"));
  await writeFile(join(folder, "made/one/text"), "one(ab)");
  await expect(runSteps(folder, removing(), here(), YES)).rejects.toMatchObject({
    code: "changed-output",
    problem: expect.stringContaining("made/one was taken away by four, and is there again"),
  });
  expect(await readFile(join(folder, "made/one/text"), "utf8")).toBe("one(ab)");
});

test.for(["before the first was moved", "once it was moved", "while it was deleted"])(
  "a removal that was cut short %s is gone on with, unasked",
  async (moment) => {
    await runSteps(folder, CHAIN(), here(), YES);
    const { sha256 } = await digestTree(join(folder, "made/one"));
    const removal = { path: "made/one", sha256, by: "four", state: "begun" };
    await writeJournal([removal]);
    const trash = join(folder, PARTIAL_FOLDER, "trash");
    await mkdir(trash, { recursive: true });
    if (moment !== "before the first was moved") await rename(join(folder, "made/one"), join(trash, "made%2Fone"));
    if (moment === "while it was deleted") await rm(join(trash, "made%2Fone", "text"));
    await runSteps(folder, removing(), here(), { ...YES, confirmRemoval: () => Promise.reject(new Error("asked")) });
    expect(existsSync(join(folder, "made/one"))).toBe(false);
    expect(existsSync(join(folder, PARTIAL_FOLDER))).toBe(false);
    expect(await readRemovals(folder)).toEqual([{ ...removal, state: "done" }]);
    expect(ran).toEqual(["one", "two", "three", "four"]);
  },
);

async function writeJournal(removed: readonly object[]): Promise<void> {
  const journal = { format: "lockstep-distillation-removals", version: 1, removed };
  await writeFile(join(folder, REMOVAL_FILE), JSON.stringify(journal));
}

test("what the journal says is begun, and is another thing than was said yes to, is left as it is", async () => {
  await runSteps(folder, CHAIN(), here(), YES);
  await writeJournal([{ path: "made/one", sha256: "0".repeat(64), by: "four", state: "begun" }]);
  const forged = [...CHAIN().slice(1), joining("four", [], { removes: REMOVING })];
  await expect(runSteps(folder, forged, here(), YES)).rejects.toMatchObject({ code: "changed-output" });
  expect(existsSync(join(folder, "made/one/text"))).toBe(true);
});

test.for(["../mine", "/mine", "made/../../mine", "mine", "made/one"])(
  "a journal from elsewhere that says %s was to be deleted deletes nothing",
  async (path) => {
    const [outer, inner] = [folder, join(folder, "run")];
    await mkdir(join(outer, "mine"));
    await mkdir(join(inner, "mine"), { recursive: true });
    for (const place of [outer, inner]) await writeFile(join(place, "mine/only-copy"), "ab");
    folder = inner;
    try {
      await writeFile(join(folder, "source.txt"), "ab");
      await writeJournal([{ path, sha256: "0".repeat(64), by: "four", state: "begun" }]);
      await runSteps(folder, CHAIN(), here(), YES).catch((error) =>
        expect(error).toMatchObject({ name: "DistillationError" }),
      );
    } finally {
      folder = outer;
    }
    for (const place of [outer, inner]) expect(existsSync(join(place, "mine/only-copy"))).toBe(true);
  },
);

test("a folder that is reached through a link is neither made in, read nor deleted", async () => {
  await runSteps(folder, CHAIN(), here(), YES);
  await rename(join(folder, "made"), join(folder, "elsewhere"));
  await symlink("elsewhere", join(folder, "made"));
  const problem = expect.stringContaining("made is a link");
  await expect(runSteps(folder, removing(), here(), YES)).rejects.toMatchObject({ code: "changed-output", problem });
  expect(existsSync(join(folder, "elsewhere/one/text"))).toBe(true);
  await rm(join(folder, "evidence"), { recursive: true });
  await expect(runSteps(folder, CHAIN(), here(), YES)).rejects.toMatchObject({ code: "changed-output", problem });
  expect(await readFile(join(folder, "elsewhere/one/text"), "utf8")).toBe("one(ab)");
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
