import { expect, test } from "vitest";
import { peersFor } from "../codec-cell.ts";
import { type Compressor, gridOrigin, measurePeer } from "./peer.ts";
import { PEER_INPUTS, type PeerInput, peerInput } from "./peer-inputs.ts";

const COMPRESSORS = peersFor([5]).flatMap((peer) =>
  peer.compressors.map((compressor) => ({ name: `${peer.name}, ${compressor.setting}`, compressor })),
);

test("every kind of peer is among those tried", () => {
  expect(COMPRESSORS.length).toBeGreaterThan(50);
});

test.for(COMPRESSORS)("every sample comes back within eps, whatever the input: $name", ({ compressor }) => {
  for (const input of PEER_INPUTS) expect(worstError(compressor, input), input.name).toBeLessThanOrEqual(1);
});

function worstError(compressor: Compressor, { columns, shape }: PeerInput): number {
  const decoded = compressor.decode(compressor.encode(columns, shape), shape);
  const errors = columns.flatMap((column, c) =>
    [...column].map((value, t) => Math.abs(value - (decoded[c]?.[t] ?? Number.NaN)) / (shape.eps[c] ?? 0)),
  );
  return errors.reduce((worst, error) => (error <= worst ? worst : error), 0);
}

const SAME: Compressor = {
  setting: "as it is",
  encode: (columns) => new Uint8Array(new Float64Array(columns[0] ?? []).buffer),
  decode: (bytes) => [new Float64Array(bytes.slice().buffer)],
};

test("a peer is charged for its smallest encoding", () => {
  const { columns, shape } = peerInput("two", 1, [1, 2]);
  const half: Compressor = { ...SAME, setting: "half", encode: (all, s) => SAME.encode(all, s).subarray(0, 8) };
  const peer = { name: "both", hasLookahead: false, compressors: [SAME, half] };
  expect(measurePeer(peer, columns, shape)).toMatchObject({ bitsPerSample: 32, setting: "half" });
});

test("a peer that breaks the bound, or loses a sample, is seen", () => {
  const { columns, shape } = peerInput("two", 0.5, [1, 2]);
  const off: Compressor = { ...SAME, decode: () => [Float64Array.of(1, 2.75)] };
  const short: Compressor = { ...SAME, decode: () => [Float64Array.of(1)] };
  const lost: Compressor = { ...SAME, decode: () => [Float64Array.of(1, Number.NaN)] };
  const errorOf = (compressor: Compressor) =>
    measurePeer({ name: "one", hasLookahead: false, compressors: [compressor] }, columns, shape).maxErrorOverEps;
  expect(errorOf(SAME)).toBe(0);
  expect(errorOf(off)).toBe(1.5);
  expect(errorOf(short)).toBe(Number.POSITIVE_INFINITY);
  expect(errorOf(lost)).toBe(Number.POSITIVE_INFINITY);
});

test("a grid begins at zero unless its bins would grow too large", () => {
  expect(gridOrigin({ min: 20, max: 30 }, 0.01)).toBe(0);
  expect(gridOrigin({ min: 1e9, max: 1e9 + 100 }, 0.1)).toBe(1e9);
});
