import { expect, test } from "vitest";
import { BYTE_COMPRESSORS, gridDifferences, gridLevels } from "./grid-bytes.ts";
import { measurePeer } from "./peer.ts";
import { type PeerInput, peerInput } from "./peer-inputs.ts";

/** Keeps bytes as they are, so that a layout can be read off. */
const NONE = { compress: (bytes: Uint8Array) => bytes, decompress: (bytes: Uint8Array) => bytes };

test("differences are told from the value before, levels from the channel's first", () => {
  const input = peerInput("steps", 0.5, [3, 4, 4, 9], [-1, -1, 0, -1]);
  expect(bytesOf(gridDifferences("d", NONE), "integers by length, grid from the origin", input)).toEqual([
    ...[6, 2, 0, 10],
    ...[1, 0, 2, 1],
  ]);
  expect(bytesOf(gridLevels("l", NONE), "integers by length, grid from the origin", input)).toEqual([
    ...[6, 2, 2, 12],
    ...[1, 0, 2, 0],
  ]);
  expect(bytesOf(gridLevels("l", NONE), "rows of integers by length, grid from the origin", input)).toEqual([
    ...[6, 1],
    ...[2, 0],
    ...[2, 2],
    ...[12, 0],
  ]);
});

test("a grid may begin at the smallest value, where a resting level needs no second one", () => {
  const resting = peerInput("noise on the edge of a bin", 1, [1.2, 0.8, 1.2, 0.8, 2.7]);
  expect(bytesOf(gridLevels("l", NONE), "integers by length, grid from the origin", resting)).toEqual([2, 1, 0, 1, 0]);
  const least = "integers by length, grid from 0 eps above the least";
  expect(bytesOf(gridLevels("l", NONE), least, resting)).toEqual([0, 0, 0, 0, 2]);
});

test("levels that return cost less as levels than as differences, drifting values cost more", () => {
  const noise = chances(4000);
  const chosen = noise.map((chance) => 40 * Math.floor(4 * chance));
  const drifting = noise.map((chance, t) => t + Math.floor(3 * chance));
  expect(zstdBits(gridLevels, chosen)).toBeLessThan(0.8 * zstdBits(gridDifferences, chosen));
  expect(zstdBits(gridLevels, drifting)).toBeGreaterThan(zstdBits(gridDifferences, drifting));
});

/** Uniform in 0 … 1, the same every time. */
function chances(count: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

function bytesOf(peer: ReturnType<typeof gridLevels>, setting: string, { columns, shape }: PeerInput): number[] {
  const compressor = peer.compressors.find((each) => each.setting === setting);
  return [...(compressor?.encode(columns, shape) ?? [])];
}

function zstdBits(create: typeof gridLevels, values: readonly number[]): number {
  const { columns, shape } = peerInput("", 0.5, values);
  return measurePeer(create("zstd", BYTE_COMPRESSORS.zstd), columns, shape).bitsPerSample;
}
