import { readdirSync, readFileSync } from "node:fs";
import {
  birthHash,
  decodeFrame,
  encodeFrame,
  encodeSerialFrame,
  type Frame,
  FrameError,
  SerialDeframer,
  sequencedSeal,
} from "@lockstep/protocol";
import { expect, test } from "vitest";
import { serialVectors } from "./serial-vectors.ts";

/** The TypeScript host against the golden vectors. */
const VECTORS = new URL("../../protocol/vectors/", import.meta.url);

interface Vector {
  readonly frame: Readonly<Record<string, unknown>>;
  readonly sealedWith?: {
    readonly device: string;
    readonly epoch: number;
    readonly seq: number;
    readonly stateHash: number;
  };
  readonly birthHash?: string;
}

interface RefusedVector {
  readonly code: string;
  readonly offset?: number;
}

test("there are vectors to look at", () => {
  expect(names("").length).toBeGreaterThan(40);
  expect(names("refused/").length).toBeGreaterThan(80);
});

test.for(names(""))("%s decodes to its JSON and encodes to its bytes", (name) => {
  const bytes = cborBytes(name);
  const expected: Vector = json(name);
  const frame = decodeFrame(bytes);
  expect(withHex(frame)).toEqual(expected.frame);
  expect(Buffer.from(encodeFrame(frame)).equals(bytes)).toBe(true);
});

test.for(names(""))("%s carries the seal and the birth hash that its JSON says", (name) => {
  const bytes = cborBytes(name);
  const expected: Vector = json(name);
  const frame = decodeFrame(bytes);
  expect("seal" in frame).toBe(expected.sealedWith !== undefined);
  if ("seal" in frame && expected.sealedWith !== undefined) {
    const { device, epoch, seq, stateHash } = expected.sealedWith;
    expect(sequencedSeal(bytes, device, epoch, seq, stateHash)).toBe(frame.seal);
  }
  expect(frame.kind === "birth" ? birthHash(frame) : undefined).toBe(expected.birthHash);
});

test.for(names("refused/"))("%s is refused with its code", (name) => {
  const expected: RefusedVector = json(name);
  const error = refusal(cborBytes(name));
  expect(error?.code).toBe(expected.code);
  expect(error?.facts.offset).toBe(expected.offset ?? error?.facts.offset);
});

test.for(serialVectors())("the line $name gives its frames, and names what it leaves out", (vector) => {
  const { line, frames, damaged, isWhole } = vector;
  const deframer = new SerialDeframer();
  const found = deframer.push(line).map((frame) => Buffer.from(frame).toString("hex"));
  expect(found).toEqual(frames.map((frame) => frame.toString("hex")));
  expect(Object.entries(deframer.damaged).filter(([, count]) => count > 0)).toEqual(Object.entries(damaged));
  expect(deframer.pendingBytes).toBe(0);
  if (isWhole) expect(Buffer.concat(frames.map(encodeSerialFrame)).equals(line)).toBe(true);
});

function names(folder: string): string[] {
  return readdirSync(new URL(folder, VECTORS))
    .filter((file) => file.endsWith(".cbor"))
    .map((file) => folder + file.slice(0, -".cbor".length));
}

function cborBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`${name}.cbor`, VECTORS)));
}

function json<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS), "utf8"));
}

function withHex(frame: Frame): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(frame).map(([field, value]) => [
      field,
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
    ]),
  );
}

function refusal(bytes: Uint8Array): FrameError | undefined {
  try {
    decodeFrame(bytes);
  } catch (error) {
    return error instanceof FrameError ? error : undefined;
  }
  return undefined;
}
