import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Checkpoint } from "./checkpoint.ts";
import { LanguageModelError } from "./language-model-error.ts";
import { MemoryWatch } from "./memory-watch.ts";
import type { MetricsRow } from "./metrics-row.ts";
import { openBackend } from "./open-backend.ts";
import { checkpointOf, RUN_FILES } from "./run-folder.ts";
import { RunRig, SMALL_RUNS, SONNETS } from "./run-rig.suite.ts";
import { trainingText } from "./training-text.ts";

let rig: RunRig;
beforeEach(() => {
  rig = new RunRig();
});
afterEach(() => rig.close());

/** Stop in front of a step. */
function stopAt(step: number): { signal: AbortSignal; onStep: (at: number) => void } {
  const controller = new AbortController();
  return { signal: controller.signal, onStep: (at) => at === step && controller.abort() };
}

function metrics(name: string): MetricsRow[] {
  const lines = readFileSync(`${rig.at(name)}/metrics.jsonl`, "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => ({ ...JSON.parse(line), seconds: 0, tokensPerSecond: 0 }));
}

describe.each(Object.entries(SMALL_RUNS))("with the %s engine", (_, settings) => {
  test("a run that was stopped anywhere goes on bit for bit", async () => {
    await rig.train("whole", settings);
    const expected = await rig.contents("whole");
    for (const steps of [[1], [5], [3, 4, 11]]) {
      const name = `stopped-${steps}`;
      const [first = 0, ...later] = steps;
      expect(await rig.train(name, settings, stopAt(first))).toMatchObject({ isStopped: true, steps: first });
      for (const step of later)
        expect(await rig.resume(name, stopAt(step))).toMatchObject({ isStopped: true, steps: step });
      expect(await rig.resume(name)).toMatchObject({ isStopped: false, steps: 13 });
      expect(await rig.contents(name)).toEqual(expected);
      expect(metrics(name)).toEqual(metrics("whole"));
    }
  });

  test("the same seed gives the same run, and another one another", async () => {
    await rig.train("one", settings);
    await rig.train("two", settings);
    await rig.train("three", [...settings, "seed=2"]);
    const [one, two, three] = [await rig.contents("one"), await rig.contents("two"), await rig.contents("three")];
    expect(two).toEqual(one);
    expect(three.tensors).not.toEqual(one.tensors);
  });

  test("it learns: the loss falls", async () => {
    const { final, best } = await rig.train("run", [
      ...settings,
      "steps=60",
      "evalEvery=60",
      "optimizer.learningRate=0.02",
    ]);
    const [before] = metrics("run");
    expect(final?.valLoss).toBeLessThan((before?.valLoss ?? 0) - 0.5);
    expect(best?.step).toBe(60);
  });

  test("a loss that is no number ends the run, names the step, and leaves the last good checkpoint", async () => {
    const run = rig.train("run", [
      ...settings,
      "optimizer.learningRate=1e30",
      "schedule.warmup=9",
      "optimizer.weightDecay=1e9",
    ]);
    await expect(run).rejects.toMatchObject({
      code: "loss-not-finite",
      message: expect.stringMatching(/^step \d+: the/),
    });
    const { progress, tensors } = await rig.contents("run");
    expect(progress).toMatchObject({ step: 0 });
    const values = Object.values(tensors).flatMap((tensor) => Array.from(tensor as Float32Array));
    expect(values.every(Number.isFinite)).toBe(true);
  });
});

test("any number of threads gives the same bits, and going on with another number, too", async () => {
  const settings = [...(SMALL_RUNS.tensor ?? []), "data.rows=4"];
  const withThreads = (threads: number) => ({
    openBackend: (shards: number) => openBackend({ name: "wasm-strict" as const, shards, threads }),
  });
  for (const threads of [1, 2, 4]) await rig.train(`threads-${threads}`, settings, withThreads(threads));
  await rig.train("both", settings, { ...stopAt(6), ...withThreads(3) });
  await rig.resume("both", withThreads(2));
  const expected = await rig.contents("threads-1");
  for (const name of ["threads-2", "threads-4", "both"]) expect(await rig.contents(name)).toEqual(expected);
  await rig.train("whole", [...settings, "data.shards=1"], withThreads(2));
  expect(metrics("whole").at(-1)?.valLoss).toBeCloseTo(metrics("both").at(-1)?.valLoss ?? 0, 4);
});

test("a run leaves files that say everything of it", async () => {
  const summary = await rig.train("run", SMALL_RUNS.scalar ?? []);
  expect(readdirSync(rig.at("run")).toSorted()).toEqual([...RUN_FILES].toSorted());
  const file = (name: string) => readFileSync(`${rig.at("run")}/${name}`, "utf8");
  expect(JSON.parse(file("summary.json"))).toEqual(JSON.parse(JSON.stringify(summary)));
  expect(JSON.parse(file("config.json"))).toEqual(summary.config);
  expect(metrics("run").map(({ step }) => step)).toEqual([0, 5, 10, 13]);
  const [header, ...lines] = file("metrics.csv").trimEnd().split("\n");
  expect(header?.split(",").slice(0, 4)).toEqual(["step", "tokens", "seconds", "loss"]);
  expect(lines.map((line) => line.split(",")[0])).toEqual(["0", "5", "10", "13"]);
  expect(file("summary.md")).toContain("| steps | 13 of 13, 2 rows each, seed 1337 |");
  expect(file("loss.svg")).toMatch(/^<svg [\s\S]*>validation<\/text>[\s\S]*<\/svg>\n$/);
});

test("losses are told in nats and in bits for each byte of the text", async () => {
  const { final } = await rig.train("run", [...(SMALL_RUNS.tensor ?? []), "data.tokenizer=byte"]);
  expect(final?.valBitsPerByte).toBeCloseTo((final?.valLoss ?? 0) / Math.LN2, 12);
});

describe("a run is not gone on with", () => {
  beforeEach(async () => {
    await rig.train("run", SMALL_RUNS.scalar ?? [], stopAt(7));
  });

  test("with another text", async () => {
    await expect(
      rig.resume("run", { text: trainingText(Buffer.from(`${SONNETS} `), "sonnets.txt") }),
    ).rejects.toMatchObject({ code: "other-run" });
  });

  test("by beginning another one in its place", async () => {
    await expect(rig.train("run", [])).rejects.toThrow("there is a run in");
    expect(await rig.train("run", [], { isReplaced: true })).toMatchObject({ steps: 13 });
  });

  test("and one that replaces it leaves nothing of it, wherever it ends itself", async () => {
    await rig.resume("run");
    writeFileSync(`${rig.at("run")}/best.safetensors.part`, "half");
    const lost = rig.train("run", [], { isReplaced: true, onCheckpoint: () => Promise.reject(new Error("lost")) });
    await expect(lost).rejects.toThrow("lost");
    const own = ["checkpoint.safetensors", "config.json", "metrics.csv", "metrics.jsonl"];
    expect(readdirSync(rig.at("run")).toSorted()).toEqual(own);
  });

  test.each([
    ["truncated", (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ["bad-safetensors", (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(1)])],
    ["foreign-checkpoint", (bytes: Buffer) => edited(bytes, "lockstep language", "another language.")],
    ["foreign-checkpoint", (bytes: Buffer) => edited(bytes, '\\"step\\":7', '\\"stop\\":7')],
    ["bad-config", (bytes: Buffer) => edited(bytes, '\\"engine\\":\\"scalar\\"', '\\"engine\\":\\"steam!\\"')],
    ["damaged-checkpoint", (bytes: Buffer) => edited(bytes, '\\"seed\\":1337', '\\"seed\\":1338')],
    ["bad-tokenizer", (bytes: Buffer) => edited(bytes, '\\"kind\\":\\"char\\"', '\\"kind\\":\\"chat\\"')],
  ])("from a checkpoint that is %s", async (code, damage) => {
    const path = `${rig.at("run")}/checkpoint.safetensors`;
    writeFileSync(path, damage(readFileSync(path)));
    await expect(rig.resume("run")).rejects.toMatchObject({ code });
  });

  test("from a checkpoint that is whole and does not fit together", async () => {
    const path = `${rig.at("run")}/checkpoint.safetensors`;
    const whole = readFileSync(path);
    const checkpoint = await Checkpoint.open(path);
    await checkpoint.close();
    const { config, progress } = checkpoint;
    for (const [head, part] of [
      [{ config: { ...config, model: { ...config.model, width: 6 } } }, "is of shape"],
      [{ progress: { ...progress, step: -7 } }, "its progress has"],
      [{ progress: { ...progress, batches: { nixt: 0, waiting: [] } } }, "the place in the text is damaged"],
    ] as const) {
      await rig.rewrite("run", head);
      await expect(rig.resume("run")).rejects.toMatchObject({
        code: "foreign-checkpoint",
        problem: expect.stringContaining(part),
      });
      writeFileSync(path, whole);
    }
    await rig.rewrite("run", {});
    expect(await rig.resume("run")).toMatchObject({ isStopped: false });
  });
});

test("a checkpoint with one byte changed, anywhere, is refused", async () => {
  await rig.train("run", [...(SMALL_RUNS.tensor ?? []), "steps=1"]);
  const path = `${rig.at("run")}/checkpoint.safetensors`;
  const whole = readFileSync(path);
  const headerEnd = 8 + Number(whole.readBigUInt64LE());
  const places = [8, 40, headerEnd - 1, headerEnd, whole.length - 1];
  for (let at = 0; at < whole.length; at += 211) places.push(at);
  for (const at of places) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x01;
    writeFileSync(path, bytes);
    const error: unknown = await Checkpoint.open(path).catch((reason: unknown) => reason);
    expect([at, error instanceof LanguageModelError]).toEqual([at, true]);
    if (at >= headerEnd) expect(error).toMatchObject({ code: "damaged-checkpoint" });
  }
});

test("a run that is stopped while it is judged ends there, and goes on as if it had not been", async () => {
  const settings = SMALL_RUNS.tensor ?? [];
  await rig.train("whole", settings);
  const controller = new AbortController();
  const seen: number[][] = [];
  const stopped = await rig.train("run", settings, {
    signal: controller.signal,
    onJudging: (...at) => {
      seen.push(at);
      if (at[0] === 5 && at[1] === 1) controller.abort();
    },
  });
  expect(stopped).toMatchObject({ isStopped: true, steps: 5 });
  // 2 batches from each part.
  expect(seen).toEqual([
    [0, 0, 4],
    [0, 1, 4],
    [0, 2, 4],
    [0, 3, 4],
    [5, 0, 4],
    [5, 1, 4],
  ]);
  expect(await rig.resume("run")).toMatchObject({ isStopped: false });
  expect(await rig.contents("run")).toEqual(await rig.contents("whole"));
  expect(metrics("run")).toEqual(metrics("whole"));
});

test("what was kept between two evaluations and is no good gives way to the checkpoint before it", async () => {
  await rig.train("run", SMALL_RUNS.scalar ?? [], stopAt(7));
  await rig.rewrite("run", {}, (value) => value * 1e300);
  await expect(rig.resume("run")).rejects.toMatchObject({
    code: "loss-not-finite",
    message: expect.stringMatching(/^step 7: the (?:loss|gradient) .* has the last good checkpoint/),
  });
  expect((await rig.contents("run")).progress).toMatchObject({ step: 5 });
  expect(await rig.resume("run")).toMatchObject({ isStopped: false });
});

test("no checkpoint is promised where the first evaluation finds none that is good", async () => {
  const run = rig.train("run", [...(SMALL_RUNS.scalar ?? []), "model.qkNorm=1e200"]);
  await expect(run).rejects.toMatchObject({ problem: "step 0: the loss is no finite number" });
  await expect(run).rejects.not.toThrow("checkpoint");
  await expect(rig.contents("run")).rejects.toMatchObject({ code: "no-checkpoint" });
});

test("gains are learned beside Muon's matrices", async () => {
  await rig.train("run", ["optimizer.kind=muon", "model.norm=layer"]);
  const { tensors } = await rig.contents("run");
  const gains = Object.entries(tensors).filter(([name]) => /^transformer.*ln_/.test(name));
  expect(gains).toHaveLength(3);
  for (const [, values] of gains) expect(Array.from(values as Float32Array).some((value) => value !== 1)).toBe(true);
});

/** The header with one text in place of another, as long as it was. */
function edited(bytes: Buffer, from: string, to: string): Buffer {
  const before = bytes.toString("latin1");
  expect(before).toContain(from);
  const slack = to.length - from.length;
  const after = before.replace(from, to);
  const headerEnd = 8 + Number(bytes.readBigUInt64LE());
  return Buffer.from(after.slice(0, headerEnd) + after.slice(headerEnd + slack), "latin1");
}

test.skipIf(process.platform === "win32")("a place that cannot be looked at is not said to be empty", async () => {
  symlinkSync("loop", rig.at("loop"));
  await expect(checkpointOf(rig.at("loop"), "best")).rejects.toMatchObject({ code: "ELOOP" });
  await expect(checkpointOf(rig.at("loop/run"), "best")).rejects.toMatchObject({ code: "ELOOP" });
  await expect(checkpointOf(rig.at("none/run"), "best")).rejects.toMatchObject({ code: "no-checkpoint" });
});

test("a checkpoint says which model it has", async () => {
  await rig.train("run", SMALL_RUNS.tensor ?? []);
  const checkpoint = await Checkpoint.open(`${rig.at("run")}/best.safetensors`);
  expect(checkpoint.backend).toBe("wasm-strict");
  expect(checkpoint.model).toMatchObject({ vocabulary: new Set(SONNETS).size + 1, headWidth: 4, positions: "rope" });
  await checkpoint.close();
});

test("memory that grows is noticed, and what a process needs at first is not", () => {
  const watch = new MemoryWatch();
  const MB = 1 << 20;
  for (const megabytes of [100, 400, 410, 390]) watch.add(megabytes * MB);
  expect([watch.growthBytes, watch.isDrifting]).toEqual([-10 * MB, false]);
  watch.add(481 * MB);
  expect(watch.isDrifting).toBe(true);
});
