import { fileURLToPath } from "node:url";
import { type Lookahead, loadBatchCore } from "@lockstep/edge-sdk/core";
import { beforeAll, expect, test } from "vitest";
import { boundsOf } from "../bench/codec-cell.ts";
import { runOurs } from "../bench/codec-ours.ts";
import { latticesOf } from "../bench/codec-plan.ts";
import { readBatchModule } from "../bench/modules.ts";
import { listSets, type TelemetrySet } from "../bench/telemetry-sets.ts";

/**
 * Bits per channel-sample of the shipped recording: rel and rows of a frame, then without and with lookahead. Locked to 1 %,
 * because a loss of rate passes every round trip. What makes them smaller on purpose changes them here, with
 * `npm run bench -- codec --data sim/data` run again.
 */
const RATES = [
  [0.1, 100, 0.037985, 0.033052],
  [0.1, 1000, 0.037393, 0.03246],
  [0.01, 100, 0.48878, 0.44882],
  [0.01, 1000, 0.48621, 0.4505],
  [0.001, 100, 2.2817, 2.2746],
  [0.001, 1000, 2.2787, 2.2782],
] as const;
const NAME = "imu_handheld";
const TOLERANCE = 0.01;

let set: TelemetrySet;
let core: ReturnType<typeof loadBatchCore>;
beforeAll(async () => {
  const sets = await listSets(fileURLToPath(new URL("../../sim/data", import.meta.url)));
  const [shipped] = sets.filter(({ name }) => name === NAME);
  if (shipped === undefined) return expect.fail(`${NAME} is not in sim/data`);
  set = shipped;
  core = loadBatchCore(await readBatchModule());
});

test.for(RATES)("imu_handheld at rel %f in frames of %i costs what it did, without and with lookahead", (row) => {
  const [rel, frames, without, withLookahead] = row;
  const [plain, ahead] = (["none", "programme"] as const).map((lookahead: Lookahead) => {
    const setting = { variant: { name: lookahead, lookahead }, frames, lattices: latticesOf(set) };
    const run = runOurs(core, set, boundsOf(set, rel), setting);
    expect(run.maxErrorOverEps).toBeLessThanOrEqual(1);
    return run.bitsPerSample;
  }) as [number, number];
  const paste = `[${[rel, frames, ...[plain, ahead].map((bits) => Number(bits.toPrecision(5)))].join(", ")}],`;
  expect(Math.abs(plain / without - 1), `without lookahead: ${paste}`).toBeLessThan(TOLERANCE);
  expect(Math.abs(ahead / withLookahead - 1), `with lookahead: ${paste}`).toBeLessThan(TOLERANCE);
});
