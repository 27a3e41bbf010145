import { expect, test } from "vitest";
import { framedEvents } from "./framed-events.ts";
import { measurePeer } from "./peer.ts";
import { PEER_INPUTS, peerInput } from "./peer-inputs.ts";

const FRAME = 50;

test.each(PEER_INPUTS)("events in frames keep the bound: $name", ({ columns, shape }) => {
  expect(measurePeer(framedEvents("e", FRAME), columns, shape).maxErrorOverEps).toBeLessThanOrEqual(1);
});

test("the bytes of a frame do not depend on later ones", () => {
  const walk = (rows: number) =>
    peerInput(
      "walk",
      1,
      [...new Array(rows).keys()].map((t) => Math.round(20 * Math.sin(t / 9))),
      [...new Array(rows).keys()].map((t) => (t % 17) - (t % 5)),
    );
  for (const compressor of framedEvents("e", FRAME).compressors) {
    const [short, long] = [walk(4 * FRAME), walk(9 * FRAME)].map(({ columns, shape }) =>
      compressor.encode(columns, shape),
    );
    expect(short?.length).toBeGreaterThan(0);
    expect(long?.subarray(0, short?.length)).toEqual(short);
  }
});

test("a frame without events has no bytes", () => {
  const step = (rows: number) => peerInput("step", 1, [0, 30, ...new Array<number>(rows - 2).fill(30)]);
  const bytesOf = (rows: number) =>
    framedEvents("e", FRAME).compressors.map((each) => each.encode(step(rows).columns, step(rows).shape).length);
  expect(Math.min(...bytesOf(FRAME))).toBeGreaterThan(0);
  expect(bytesOf(100 * FRAME)).toEqual(bytesOf(FRAME));
});
