import { expect, test } from "vitest";
import { THREE_SIGNALS } from "../../conformance/three-signals.ts";
import { requires } from "../../os-package.ts";
import { measureHeatshrink } from "../firmware-heatshrink-run.ts";
import { heatshrinkEncode } from "./heatshrink.ts";

const ROWS = 400;

requires("gcc-arm-none-eabi", "qemu-system-arm")("heatshrink's own C on a Cortex-M4", () => {
  test("writes as many bytes as the writer of its format does, with its index and without", async () => {
    const [indexed, plain] = await Promise.all(
      [true, false].map((hasIndex) => measureHeatshrink({ hasIndex, optimize: "size" }, ROWS)),
    );
    const expected = THREE_SIGNALS.map((signal) => {
      const source = signal.rows();
      const samples = Array.from({ length: ROWS }, () => source.next().value.samples).flat();
      const { length } = heatshrinkEncode(new Uint8Array(Int32Array.from(samples).buffer));
      return { signal: signal.name, producedBytes: length };
    });
    expect(expected).toHaveLength(3);
    expect(indexed?.signals).toMatchObject(expected);
    expect(plain?.signals).toMatchObject(expected);
    // Both are measured, not one of them twice: the index costs memory and saves a search.
    expect((indexed?.ram.state ?? 0) - (plain?.ram.state ?? 0)).toBeGreaterThan(1000);
    expect(indexed?.instructionsMean ?? 0).toBeLessThan(plain?.instructionsMean ?? 0);
    // Nothing of the codec that it stands in for is left in it.
    expect(indexed?.flashBytes).toBeLessThan(2000);
    expect(indexed?.flashBytes).toBeGreaterThan(500);
  }, 60_000);
});
