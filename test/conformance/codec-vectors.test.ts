import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Core, loadBatchCore, loadCore } from "@lockstep/edge-sdk/core";
import { describe, expect, test } from "vitest";
import type { CodecVector } from "./codec-vector-cases.ts";

const FOLDER = new URL("../../protocol/vectors/codec/", import.meta.url);
const NAMES = readdirSync(FOLDER).map((file) => file.replace(".json", ""));
const SAMPLE_OK = 0;

function wasm(name: string): Uint8Array {
  return readFileSync(fileURLToPath(import.meta.resolve(`@lockstep/edge-sdk/${name}.wasm`)));
}

function vectorOf(name: string): CodecVector {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8"));
}

test("there are vectors with events, with lines, with a lattice and without a byte", () => {
  const frames = NAMES.flatMap((name) => vectorOf(name).frames);
  expect(frames.filter(({ hasEvents }) => hasEvents).length).toBeGreaterThan(2);
  expect(frames.filter(({ hasLines }) => hasLines).length).toBeGreaterThan(4);
  expect(frames.filter(({ payload }) => payload === "").length).toBeGreaterThan(4);
  expect(NAMES.flatMap((name) => vectorOf(name).channels).some(({ lattice }) => lattice > 1)).toBe(true);
});

describe.for<[string, () => Core]>([
  ["device.wasm", () => loadCore(wasm("device"))],
  ["batch.wasm", () => loadBatchCore(wasm("batch"))],
])("%s against the golden vectors", ([, load]) => {
  const core = load();

  test.for(NAMES)("%s decodes to its samples, within e of what was given, and to its states", (name) => {
    const { channels, frames } = vectorOf(name);
    const decoder = core.createDecoder(core.configure(channels));
    for (const [i, frame] of frames.entries()) {
      const { samples } = decoder.decode(Buffer.from(frame.payload, "hex"), frame.rows, frame);
      expect([...samples], `frame ${i}`).toEqual(frame.decoded);
      expect(decoder.hash(), `frame ${i}`).toBe(frame.stateHash);
      const far = samples.filter((sample, at) => {
        const isGiven = (frame.statuses?.[at] ?? SAMPLE_OK) !== 1;
        return (
          isGiven && Math.abs(sample - (frame.given[at] ?? Number.NaN)) > (channels[at % channels.length]?.e ?? -1)
        );
      });
      expect(far, `frame ${i}`).toHaveLength(0);
    }
  });

  test.for(NAMES)("%s is encoded to the same bytes, but for lines, which an encoder chooses", (name) => {
    const { channels, frames } = vectorOf(name);
    if (frames.some(({ hasLines }) => hasLines)) return;
    const encoder = core.createEncoder(core.configure(channels));
    for (const [i, frame] of frames.entries()) {
      const statuses = frame.statuses === undefined ? undefined : Uint8Array.from(frame.statuses);
      const { payload } = encoder.encode(Int32Array.from(frame.given), statuses);
      expect(Buffer.from(payload).toString("hex"), `frame ${i}`).toBe(frame.payload);
    }
  });
});
