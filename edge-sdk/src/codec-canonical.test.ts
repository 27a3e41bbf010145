import { expect, test } from "vitest";
import { deviceCore, liteCore, PLAIN, SEED, SeededNoise } from "./codec-signals.suite.ts";

/** Payloads that decode are payloads that an encoder writes, also where one was damaged. */
const cores = { "device.wasm": deviceCore(), "device-lite.wasm": liteCore() } as const;
const INT32_MAX = 2 ** 31 - 1;
const ROWS = 24;

const noise = new SeededNoise(SEED);
const SIGNALS = {
  "16-bit noise": () => noise.int32() >> 16,
  "all of int32": () => noise.int32(),
  "the ends of int32": (i: number) => (i % 2 === 0 ? INT32_MAX : -INT32_MAX - 1),
  "zero and the largest": (i: number) => (i % 3 === 0 ? 0 : INT32_MAX),
} as const;

const CASES = Object.keys(SIGNALS).flatMap((name) =>
  [0, 5, 1000].flatMap((e) =>
    Object.keys(cores).map((module) => [name as keyof typeof SIGNALS, e, module as keyof typeof cores] as const),
  ),
);

test.for(CASES)(
  "%s at e = %i, %s: what is accepted of a damaged frame is what an encoder writes for its samples",
  ([name, e, module]) => {
    const core = cores[module];
    const config = core.configure([{ e, lattice: 1, historyShift: e > 5 ? 16 : 25 }]);
    const samples = Int32Array.from({ length: ROWS }, (_, i) => SIGNALS[name](i));
    const { payload } = core.createEncoder(config).encode(samples);
    let refused = 0;
    for (let at = 0; at < payload.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = payload.with(at, (payload[at] ?? 0) ^ (1 << bit));
        const decoder = core.createDecoder(config);
        let decoded: Int32Array;
        try {
          decoded = decoder.decode(damaged, ROWS, PLAIN).samples;
        } catch (error) {
          expect(error).toMatchObject({ name: "CodecError" });
          refused += 1;
          continue;
        }
        const encoder = core.createEncoder(config);
        expect(Buffer.from(encoder.encode(decoded).payload).equals(damaged), `byte ${at}, bit ${bit}`).toBe(true);
        expect(encoder.hash()).toBe(decoder.hash());
      }
    }
    expect(refused).toBeGreaterThan(0);
  },
);
