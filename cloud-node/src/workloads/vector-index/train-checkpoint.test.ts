import { expect, test } from "vitest";
import { generatedClusters } from "./generated-vectors.suite.ts";
import { packCheckpoint, unpackCheckpoint } from "./train-checkpoint.ts";
import { type TrainedModel, trainModel } from "./train-model.ts";
import type { TrainOptions } from "./train-options.ts";
import { sourceOfArray } from "./vector-source.ts";

const DATA = generatedClusters(9, { n: 1200, d: 24, clusters: 50, spread: 0.7 });
const OPTIONS: TrainOptions = {
  codeBytes: 8,
  metric: "l2",
  seed: 5,
  iterations: 6,
  robust: { kind: "trimmed", share: 0.02 },
};

function train(options: Partial<TrainOptions> = {}): Promise<TrainedModel> {
  return trainModel(sourceOfArray(DATA.rows, DATA.d), { ...OPTIONS, ...options });
}

/** What is saved after each iteration. */
async function checkpoints(): Promise<Uint8Array[]> {
  const saved: Uint8Array[] = [];
  await train({
    checkpoint: {
      load: async () => undefined,
      save: async (bytes) => {
        saved.push(bytes.slice());
      },
    },
  });
  return saved;
}

test("training that goes on from any checkpoint ends with the same model", async () => {
  const whole = await train();
  const saved = await checkpoints();
  expect(saved.length).toBe(6);
  for (const bytes of saved) {
    const iterations: number[] = [];
    const resumed = await train({
      checkpoint: { load: async () => bytes, save: async () => {} },
      log: ({ iteration }) => iterations.push(iteration),
    });
    expect(resumed).toEqual(whole);
    expect(iterations.length).toBe(7 - saved.indexOf(bytes) - 1);
  }
});

test("a checkpoint comes back as it was", () => {
  const state = {
    iteration: 3,
    anchors: Int16Array.of(1, -2, 32_767),
    ids: Uint32Array.of(7, 0xffff_ffff),
    robustLimit: 12.5,
    last: 9,
  };
  expect(unpackCheckpoint(packCheckpoint(state, 77), 77)).toEqual(state);
});

test("a checkpoint of other rows or options is refused", async () => {
  const [bytes] = await checkpoints();
  const checkpoint = { load: async () => bytes, save: async () => {} };
  for (const other of [{ seed: 6 }, { m: 20 }, { iterations: 7 }, { robust: undefined }]) {
    await expect(train({ ...other, checkpoint })).rejects.toMatchObject({ code: "bad-checkpoint" });
  }
});

test("a checkpoint cut short, or changed in any one byte, is refused", async () => {
  const [bytes = new Uint8Array()] = await checkpoints();
  const mark = new DataView(bytes.buffer).getUint32(8, true);
  expect(unpackCheckpoint(bytes, mark).iteration).toBe(1);
  for (let length = 0; length < bytes.length; length += length < 60 ? 1 : 97) {
    expect(() => unpackCheckpoint(bytes.subarray(0, length), mark)).toThrow(
      expect.objectContaining({ code: "bad-checkpoint" }),
    );
  }
  for (let at = 0; at < bytes.length; at += at < 60 ? 1 : 53) {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    expect(() => unpackCheckpoint(changed, mark)).toThrow(expect.objectContaining({ code: "bad-checkpoint" }));
  }
});
