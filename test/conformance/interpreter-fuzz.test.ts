import { readFileSync } from "node:fs";
import { seededRandom } from "@lockstep/sim";
import { beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { compareCases, fuzzCase } from "./interpreter-comparison.ts";
import { buildHost } from "./interpreter-host.ts";
import { DEVICE_WASM } from "./raw-device.ts";

const SEED = Number(process.env.LOCKSTEP_SEED ?? 20_261);
const CASES = 2000;

requires("c-compiler")("the interpreter beside Node's WebAssembly", () => {
  let host: string;
  beforeAll(() => {
    host = buildHost();
  }, 60_000);

  test(`agrees on ${CASES} generated and spoilt modules: LOCKSTEP_SEED=${SEED}`, async () => {
    const random = seededRandom(SEED);
    const sources = { modules: [readFileSync(DEVICE_WASM)] };
    const cases = Array.from({ length: CASES }, (_, i) => fuzzCase(random.fork(`case ${i}`), sources));
    const tally = await compareCases(host, cases);
    expect(tally.differences).toEqual([]);
    expect(tally.run).toBeGreaterThan(CASES / 2);
    expect(tally.calls).toBeGreaterThan(CASES);
    expect(tally.traps).toBeGreaterThan(100);
    expect(Object.keys(tally.refused).length).toBeGreaterThan(12);
  }, 60_000);
});
