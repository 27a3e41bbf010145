import { expect, test } from "vitest";
import { deadband } from "./deadband.ts";
import { readPoints } from "./kept-points.ts";
import type { Peer } from "./peer.ts";
import { peerInput } from "./peer-inputs.ts";
import { swingingDoor } from "./swinging-door.ts";

test("a deadband keeps the first sample, and each that is more than eps from the last kept", () => {
  expect(kept(deadband("deadband"), [0, 0.5, 0.9, 1.75, 0.25, 1])).toEqual([
    [0, 0],
    [3, 1.75],
    [4, 0.25],
  ]);
});

test("a swinging door keeps the corners of straight lines", () => {
  const triangle = [0, 4, 8, 12, 16, 12, 8, 4, 0];
  const rows = kept(swingingDoor("door"), triangle).map(([row]) => row);
  expect(rows).toEqual([0, 4, 8]);
});

test("a swinging door that is open all the time keeps two points", () => {
  expect(kept(swingingDoor("door"), [0, 0.5, -0.5, 0.5, -0.5]).map(([row]) => row)).toEqual([0, 4]);
});

test("channels are told apart by the row that begins them", () => {
  const { columns, shape } = peerInput("two", 1, [0, 5], [7, 7]);
  const [compressor] = deadband("deadband").compressors;
  const channels = readPoints(compressor?.encode(columns, shape) ?? new Uint8Array());
  expect(channels.map(({ rows }) => [...rows])).toEqual([[0, 1], [0]]);
});

function kept(peer: Peer, values: readonly number[]): number[][] {
  const { columns, shape } = peerInput("", 1, values);
  const bytes = peer.compressors[0]?.encode(columns, shape) ?? new Uint8Array();
  expect(bytes.length % 8).toBe(0);
  return readPoints(bytes).flatMap(({ rows, values: heights }) => [...rows].map((row, i) => [row, heights[i] ?? NaN]));
}
