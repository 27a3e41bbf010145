import type { Bench } from "./bench.ts";

/**
 * Every benchmark by name, loaded only when it is asked for. To add one: write `test/bench/NAME.ts` with a function
 * of type `Bench`, and a line here.
 */
export const BENCHES: ReadonlyMap<string, () => Promise<Bench>> = new Map([
  ["codec", async () => (await import("./codec.ts")).benchCodec],
  ["firmware", async () => (await import("./firmware.ts")).benchFirmware],
  ["frames", async () => (await import("./frames.ts")).benchFrames],
  ["latency", async () => (await import("./latency.ts")).benchLatency],
  ["recovery", async () => (await import("./recovery.ts")).benchRecovery],
  ["size", async () => (await import("./size.ts")).benchSize],
  ["speed", async () => (await import("./speed.ts")).benchSpeed],
  ["wire", async () => (await import("./wire.ts")).benchWire],
]);
