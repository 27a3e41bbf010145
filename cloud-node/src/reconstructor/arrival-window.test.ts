import type { ResidualFrame } from "@lockstep/protocol";
import { expect, test } from "vitest";
import { ArrivalWindow, type EarlyFrame, GRACE_MS } from "./arrival-window.ts";

const FRAME: ResidualFrame = {
  kind: "residual",
  position: 0,
  quiet: 0,
  samples: 0,
  hasEvents: false,
  hasLines: false,
  payload: new Uint8Array(0),
  seal: 0,
};

function early(receivedMs: number, bytes = 40): EarlyFrame {
  return { frame: FRAME, bytes: new Uint8Array(bytes), receivedMs };
}

test("a hole is asked for after the grace, then twice as late each time, until it is filled", () => {
  const window = new ArrivalWindow();
  expect(window.hold(3, 1, early(0))).toBe("held");
  expect(window.missing(GRACE_MS - 1).ranges).toEqual([]);
  expect(window.missing(GRACE_MS).ranges).toEqual([{ from: 1, count: 2 }]);
  expect(window.missing(GRACE_MS + 249).ranges).toEqual([]);
  expect(window.missing(GRACE_MS + 250).ranges).toEqual([{ from: 1, count: 2 }]);
  expect(window.missing(GRACE_MS + 749).ranges).toEqual([]);
  expect(window.missing(GRACE_MS + 750).ranges).toEqual([{ from: 1, count: 2 }]);
  expect(window.hold(2, 1, early(1_000))).toBe("held");
  expect(window.missing(60_000).ranges).toEqual([{ from: 1, count: 1 }]);
  window.done(1);
  expect(window.missing(120_000)).toEqual({ ranges: [], againMs: undefined });
});

test("an ack asks for the lowest holes first, in as many ranges as it carries", () => {
  const window = new ArrivalWindow();
  for (let seq = 1; seq < 40; seq += 2) window.hold(seq, 0, early(0));
  const { ranges, againMs } = window.missing(GRACE_MS);
  expect(ranges).toEqual(Array.from({ length: 8 }, (_, i) => ({ from: 2 * i, count: 1 })));
  expect(againMs).toBe(GRACE_MS);
  expect(window.missing(2 * GRACE_MS).ranges[0]).toEqual({ from: 16, count: 1 });
});

test("frames beyond the window, and more bytes than one device may hold, are not kept", () => {
  const window = new ArrivalWindow();
  expect(window.hold(2_048, 0, early(0))).toBe("beyond");
  expect(window.hold(2_047, 0, early(0))).toBe("held");
  expect(window.hold(2_047, 0, early(0))).toBe("again");
  let seq = 1;
  while (window.hold(seq, 0, early(0, 60_000)) === "held") seq += 1;
  expect(seq).toBe(18);
});

test("what is known to exist and has not come is a hole, though nothing later has come either", () => {
  const window = new ArrivalWindow();
  window.expect(5, 8, 100);
  expect(window.missing(100 + GRACE_MS).ranges).toEqual([{ from: 5, count: 3 }]);
});

test("a frame that was of no use is asked for at once", () => {
  const window = new ArrivalWindow();
  window.reopen(4, 100);
  expect(window.wasAsked(4, 1_000)).toBe(false);
  expect(window.missing(100).ranges).toEqual([{ from: 4, count: 1 }]);
  expect(window.wasAsked(4, 100)).toBe(false);
  expect(window.wasAsked(4, 100 + GRACE_MS)).toBe(true);
});

test("what was given up is neither held nor asked for", () => {
  const window = new ArrivalWindow();
  window.hold(3, 0, early(0));
  window.hold(9, 0, early(0));
  window.skip(8);
  expect(window.release(3)).toBeUndefined();
  expect(window.missing(1_000).ranges).toEqual([{ from: 8, count: 1 }]);
  expect(window.first(100)).toBe(9);
});
