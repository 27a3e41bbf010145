import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { birthHash, decodeFrame, type Frame, isSequenced, position, sequencedSeal } from "../src/index.ts";
import {
  plain,
  referenceBirthHash,
  referenceBytes,
  referenceDecode,
  referenceElements,
} from "../src/reference-encoder.suite.ts";
import { describeFrame } from "./described-frame.ts";
import { FRAME_CASES } from "./frame-cases.ts";
import { MAC_CASES } from "./mac-cases.ts";
import { REFUSED_CASES } from "./refused-cases.ts";
import { SERIAL_CASES } from "./serial-cases.ts";
import { vectorFiles } from "./vector-files.ts";

const FOLDER = new URL("./", import.meta.url);

test("the committed vectors are exactly what generate.ts writes", () => {
  const committed = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    // Payloads in codec/ are written, and held, by the tests of conformance.
    .filter((path) => /\.(cbor|json)$/.test(path) && !path.startsWith("codec/"));
  const files = vectorFiles();
  expect(committed.sort()).toEqual([...files.keys()].sort());
  const changed = [...files].filter(([path, bytes]) => !readFileSync(new URL(path, FOLDER)).equals(bytes));
  expect(changed.map(([path]) => path)).toEqual([]);
});

test("no two cases have the same name, and every kind has several", () => {
  expect(new Set(FRAME_CASES.map(({ name }) => name)).size).toBe(FRAME_CASES.length);
  expect(new Set(REFUSED_CASES.map(({ name }) => name)).size).toBe(REFUSED_CASES.length);
  expect(new Set(SERIAL_CASES.map(({ name }) => name)).size).toBe(SERIAL_CASES.length);
  expect(new Set(MAC_CASES.map(({ name }) => name)).size).toBe(MAC_CASES.length);
  const perKind = Map.groupBy(FRAME_CASES, ({ frame }) => frame.kind);
  expect([...perKind.values()].map((cases) => cases.length >= 2)).toEqual(Array(15).fill(true));
});

test.for(FRAME_CASES)("$name: cbor-x reads its elements, and writes the same bytes", ({ name, frame }) => {
  const bytes = new Uint8Array(readFileSync(new URL(`${name}.cbor`, FOLDER)));
  const elements = plain(referenceElements(frame)) as unknown[];
  const read = referenceDecode(bytes) as unknown[];
  expect(read.slice(0, elements.length)).toEqual(elements);
  expect(read.length - elements.length).toBe(frame.kind === "fragment" ? 0 : 1);
  const reference = referenceBytes(withSealOf(bytes, frame));
  expect(reference !== undefined && Buffer.from(reference).equals(bytes)).toBe(true);
});

test.for(FRAME_CASES)("$name: decodes to the fields written by hand", ({ name, about, frame, sealedWith }) => {
  const bytes = new Uint8Array(readFileSync(new URL(`${name}.cbor`, FOLDER)));
  const decoded = decodeFrame(bytes);
  expect(describeFrame(about, decoded, sealedWith)).toEqual(describeFrame(about, withSealOf(bytes, frame), sealedWith));
  expect(isSequenced(decoded)).toBe(sealedWith !== undefined);
  if (isSequenced(decoded) && sealedWith !== undefined) {
    const { device, epoch, seq, stateHash } = sealedWith;
    expect(decoded.seal).toBe(sequencedSeal(bytes, device, epoch, seq, stateHash));
    const place = decoded.kind === "keyframe" ? [decoded.epoch, decoded.seq] : [decoded.position];
    expect(place).toEqual(decoded.kind === "keyframe" ? [epoch, seq] : [position(epoch, seq)]);
  }
  if (decoded.kind === "birth") {
    expect(birthHash(decoded)).toBe(referenceBirthHash(decoded));
  }
});

/** The case's fields with the seal that its file carries: the last four bytes. */
function withSealOf(bytes: Uint8Array, frame: Frame): Frame {
  return isSequenced(frame) ? { ...frame, seal: Buffer.from(bytes).readUInt32BE(bytes.length - 4) } : frame;
}
