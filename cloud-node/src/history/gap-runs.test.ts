import { expect, test } from "vitest";
import { planBirth } from "../reconstructor/birth-plan.ts";
import { testModules } from "../reconstructor/encoded-device.suite.ts";
import type { StoredGap, StoreReader } from "../store/store.ts";
import { gapRun } from "./gap-runs.ts";
import type { Run } from "./run.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

const GAP: StoredGap = { epoch: 1, from: 3, through: 4, reason: "evicted", samples: 80 };

test("a gap whose times are stored is told without a frame, and one of an earlier release looks its frame up once", () => {
  const device = new ScriptedDevice({ seed: 1 });
  const plan = planBirth(device.birth, testModules());
  if (typeof plan === "string") throw new RangeError(plan);
  const keyframe = device.keyframe();
  let looks = 0;
  const frames = () => {
    looks += 1;
    return [{ seq: 5, bytes: keyframe.bytes }];
  };
  const told = new Map<string, Run>();
  const times = () => undefined;
  const source = { reader: { frames } as unknown as StoreReader, device: 1, epoch: 1, plans: () => plan, told, times };
  const toUs = keyframe.rows[0]?.timeUs ?? 0;
  const run = { kind: "gap-lost", channel: null, fromUs: toUs - 800_000, toUs };
  expect(gapRun(source, { ...GAP, times: { fromUs: 7, toUs: 9 } })).toEqual({ ...run, fromUs: 7, toUs: 9 });
  expect(looks).toBe(0);
  for (let i = 0; i < 3; i++) expect(gapRun(source, GAP)).toEqual(run);
  expect(looks).toBe(1);
  expect(gapRun(source, { ...GAP, from: 2 })).toEqual(run);
  expect(looks).toBe(2);
});
