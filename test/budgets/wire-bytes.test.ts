import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadCore } from "@lockstep/edge-sdk/core";
import { beforeAll, describe, expect, test } from "vitest";
import { HALF_SECONDS, RATE_HZ, RAW_BYTES_PER_SAMPLE, type RotorRun, runRotor, SEEDS } from "../bench/rotor-session.ts";
import { MODULE_LIMIT, STATE_AIM, STATE_LIMIT } from "../bench/size-goals.ts";
import { median } from "../bench/statistics.ts";
import { wasmAnatomy } from "../bench/wasm-anatomy.ts";

const DEVICE_WASM = readFileSync(fileURLToPath(import.meta.resolve("@lockstep/edge-sdk/device.wasm")));
const RAW_BYTES = HALF_SECONDS * RATE_HZ * RAW_BYTES_PER_SAMPLE;

/**
 * Payload bytes of the reference rotor in frames of 1 s: the first 60 s from cold, then the next 60 s, seeds 1 to 6. Locked
 * to 1 %, because a loss of rate passes every round trip. What makes them smaller on purpose changes them here, with
 * `npm run bench -- wire` run again.
 */
const PAYLOAD_BYTES: readonly (readonly [cold: number, steady: number])[] = [
  [245, 145],
  [268, 155],
  [267, 167],
  [274, 148],
  [269, 165],
  [244, 158],
];

let runs: readonly RotorRun[] = [];
beforeAll(async () => {
  runs = await Promise.all(SEEDS.map((seed) => runRotor(seed, RATE_HZ)));
});

describe("the reference rotor through the device's link, frames of 1 s", () => {
  test("payload is at least 292 times smaller than float32 from cold and 533 times after, in the median of six seeds", () => {
    const cold = runs.map((run) => RAW_BYTES / run.cold.payloadBytes);
    const steady = runs.map((run) => RAW_BYTES / (run.all.payloadBytes - run.cold.payloadBytes));
    expect(cold).toHaveLength(SEEDS.length);
    expect(median(cold), cold.map(Math.round).join(" ")).toBeGreaterThanOrEqual(292);
    expect(median(steady), steady.map(Math.round).join(" ")).toBeGreaterThanOrEqual(533);
  });

  test("payload of every seed is what it was, within 1 %", () => {
    const measured = runs.map(({ cold, all }) => [cold.payloadBytes, all.payloadBytes - cold.payloadBytes]);
    for (const [i, expected] of PAYLOAD_BYTES.entries()) {
      for (const part of [0, 1] as const) {
        const off = Math.abs((measured[i]?.[part] ?? Number.NaN) / expected[part] - 1);
        expect(off, `seed ${SEEDS[i]}: now ${JSON.stringify(measured)}`).toBeLessThanOrEqual(0.01);
      }
    }
    expect(PAYLOAD_BYTES).toHaveLength(SEEDS.length);
  });

  test("a residual frame costs 13 bytes beside its payload, and one for each of its lengths beyond 23", () => {
    const frames = runs.flatMap((run) => run.frames);
    const residuals = frames.filter(({ kind }) => kind === "residual");
    expect(residuals.length).toBeGreaterThan(SEEDS.length * HALF_SECONDS);
    for (const { bytes, payloadBytes, quiet } of residuals) {
      expect(bytes - payloadBytes).toBe(13 + cborBytes(payloadBytes) + cborBytes(quiet));
    }
    const keyframes = frames.filter(({ kind }) => kind === "keyframe");
    expect(keyframes).toHaveLength(SEEDS.length);
    for (const { bytes, payloadBytes } of keyframes) expect(bytes - payloadBytes).toBe(22 + cborBytes(payloadBytes));
  });

  test("nothing but its data frames, a birth, a presence and a heartbeat in long quiet goes up", () => {
    for (const { all } of runs) expect(all.messages - all.dataFrames).toBeLessThanOrEqual(4);
  });
});

/** Bytes that a CBOR length or unsigned integer takes after its first. @see RFC 8949, section 3 */
function cborBytes(value: number): number {
  return value < 24 ? 0 : value < 256 ? 1 : 2;
}

describe("the device's memory", () => {
  test("the codec, line mode included, keeps six channels in less than 1,792 bytes and eight in less than 2,048", () => {
    const core = loadCore(DEVICE_WASM);
    expect(core.stateBytes(6)).toBeLessThan(STATE_AIM);
    expect(core.stateBytes(6, 25), "with histories of 32 bits").toBeLessThan(STATE_LIMIT);
    expect(core.stateBytes(8)).toBeLessThan(STATE_LIMIT);
  });

  // Firmware whose accesses are not checked keeps the module's globals there too, in the place of tables that are in flash.
  test("below the state lie 880 bytes at most", () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(DEVICE_WASM));
    const stateAddress = (exports.stateAddress as () => number)();
    expect(stateAddress).toBeGreaterThan(0);
    expect(stateAddress).toBeLessThanOrEqual(880);
  });

  test("device.wasm has at most 17.75 KiB, most of it code, and carries no names but its exports", () => {
    const { bytes, sections } = wasmAnatomy(DEVICE_WASM);
    const names = sections.map(({ name }) => name);
    expect(bytes).toBeLessThanOrEqual(MODULE_LIMIT);
    expect(names).toContain("code");
    expect(names.filter((name) => name.startsWith("custom"))).toEqual([]);
    expect(sections.reduce((sum, section) => sum + section.bytes, 8)).toBe(bytes);
  });
});
