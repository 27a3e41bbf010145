import { expect, test } from "vitest";
import { moduleBytes } from "./codec-signals.suite.ts";
import { loadCore } from "./core.ts";

const ROWS = 40;

/** A narrow device of few channels, one of many, and a wide one: what a module keeps of each outside its block differs. */
const DEVICES = [
  { channels: 3, historyShift: 0 },
  { channels: 6, historyShift: 0 },
  { channels: 2, historyShift: 20 },
];

function rowsOf(channels: number, frame: number): Int32Array {
  return Int32Array.from({ length: ROWS * channels }, (_, i) => Math.round(900 * Math.sin((frame * ROWS + i) / 7)));
}

test.for(["device", "device-lite"] as const)(
  "devices that share an instance of %s in turn are decoded as if alone",
  (target) => {
    const shared = loadCore(moduleBytes(target));
    const settings = ({ channels, historyShift }: (typeof DEVICES)[number]) =>
      Array.from({ length: channels }, () => ({ e: 4, lattice: 1, historyShift }));
    const decoders = DEVICES.map((device) => shared.createDecoder(shared.configure(settings(device))));
    const encoders = DEVICES.map((device) => {
      const alone = loadCore(moduleBytes(target));
      return alone.createEncoder(alone.configure(settings(device)));
    });
    for (let frame = 0; frame < 4; frame++) {
      for (const [i, { channels }] of DEVICES.entries()) {
        const samples = rowsOf(channels, frame);
        const payload = encoders[i]?.encode(samples);
        if (payload === undefined) expect.fail("no encoder");
        const { samples: decoded } = decoders[i]?.decode(payload.payload, ROWS, payload) ?? expect.fail("no decoder");
        expect(Math.max(...decoded.map((x, at) => Math.abs(x - (samples[at] ?? 0))))).toBeLessThanOrEqual(4);
        expect(decoders[i]?.hash()).toBe(encoders[i]?.hash());
      }
    }
  },
);
