import { expect, test } from "vitest";
import { peersFor } from "../codec-cell.ts";
import { codedDeadband, deadbandEvents } from "./deadband.ts";
import { measurePeer } from "./peer.ts";
import { peerInput } from "./peer-inputs.ts";

const quiet = peerInput("quiet", 1, new Array<number>(10_000).fill(0));

test("spans of any length are lookahead, spans of a frame are not", () => {
  const classes = Object.fromEntries(peersFor([100, "file"]).map(({ name, hasLookahead }) => [name, hasLookahead]));
  expect(classes).toMatchObject({
    deadband: false,
    "deadband events": false,
    "deadband events 100": false,
    "deadband coded": true,
    "deadband coded 100": false,
    "swinging door": true,
    "swinging door coded": true,
    pla: true,
    "pla 100": true,
  });
  expect(Object.keys(classes).filter((name) => name.startsWith("deadband coded"))).toHaveLength(2);
});

test("a span goes on for as many rows as it may, and no further", () => {
  const bitsOf = (longest?: number) =>
    measurePeer(codedDeadband("d", longest), quiet.columns, quiet.shape).bitsPerSample;
  expect(bitsOf()).toBeLessThan(0.01);
  expect(bitsOf(10_000)).toBe(bitsOf());
  expect(bitsOf(10)).toBeGreaterThan(2 * bitsOf(100));
  expect(bitsOf(100)).toBeGreaterThan(bitsOf());
});

test("a value is held within the bound of the first one of its span", () => {
  const ramp = peerInput(
    "ramp",
    1,
    [...new Array(60).keys()].map((t) => t / 4),
  );
  const [compressor] = codedDeadband("d", 3).compressors;
  const [decoded = []] = compressor?.decode(compressor.encode(ramp.columns, ramp.shape), ramp.shape) ?? [];
  expect([...decoded].map((value) => Math.round(4 * value)).slice(0, 9)).toEqual([0, 0, 0, 3, 3, 3, 6, 6, 6]);
});

test("an event's value is coded before how long it held: other bytes for the same values", () => {
  const steps = peerInput("steps", 1, [0, 0, 0, 5, 5, 9, 9, 9, 9]);
  const [events] = deadbandEvents("e").compressors;
  const [spansFirst] = codedDeadband("c").compressors;
  if (events === undefined || spansFirst === undefined) throw new RangeError("no setting");
  const [early, late] = [events, spansFirst].map((each) => each.encode(steps.columns, steps.shape));
  expect(early).not.toEqual(late);
  expect(events.decode(early ?? new Uint8Array(), steps.shape)).toEqual(
    spansFirst.decode(late ?? new Uint8Array(), steps.shape),
  );
});
