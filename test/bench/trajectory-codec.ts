import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { encodeGroup, type GroupSource, TrajectoryCore } from "@lockstep/cloud-node";
import type { ColumnSet, MeltRun } from "./trajectory-runs.ts";

/** Speed of the core on float32 values in memory, one thread; MB of values (10^6 bytes) per second of the best run. */
export interface CodecSpeed {
  /** From values to a block, without the check that packing makes of every block. */
  readonly encodeMBps: number;
  /** With the check. */
  readonly checkedMBps: number;
  /** From a block to values. */
  readonly decodeMBps: number;
  /** zstd -1 over the same bytes in the same process. */
  readonly zstdEncodeMBps: number;
  readonly zstdDecodeMBps: number;
}

const RUNS = 7;
const EPS = { x: 1e-3, v: 1e-2, f: 1e-1 } as const;
const VECTORS: Readonly<Record<ColumnSet, readonly (keyof typeof EPS)[]>> = {
  x: ["x"],
  xv: ["v", "x"],
  xvf: ["f", "v", "x"],
};
const FLOAT32_BYTES = 4;
const LIMIT = 1e6;

/** Time the columns of a set as one chunk. */
export function timeCodec(run: MeltRun, set: ColumnSet, eps: number | undefined): CodecSpeed {
  const core = TrajectoryCore.load();
  const sources = VECTORS[set].map((vector) => sourceOf(run, vector, eps ?? EPS[vector]));
  const bytes = sources.reduce((sum, { frames, axes, atoms }) => sum + frames * axes * atoms * FLOAT32_BYTES, 0);
  const floats = Buffer.concat(sources.map(floatsOf));
  let [encode, checked, decode] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let [zstdEncode, zstdDecode] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < RUNS; i++) {
    const times = timeOnce(core, sources);
    encode = Math.min(encode, times.encode);
    decode = Math.min(decode, times.decode);
    core.clear();
    const begun = performance.now();
    const planes: number[] = [];
    for (const source of sources) planes.unshift(encodeGroup(core, source, planes.slice(0, 2))?.plane ?? 0);
    checked = Math.min(checked, performance.now() - begun);
    const zstdBegun = performance.now();
    const packed = zstdCompressSync(floats, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    zstdEncode = Math.min(zstdEncode, performance.now() - zstdBegun);
    const zstdMiddle = performance.now();
    zstdDecompressSync(packed);
    zstdDecode = Math.min(zstdDecode, performance.now() - zstdMiddle);
  }
  const rate = (ms: number) => bytes / 1e3 / ms;
  return {
    ...{ encodeMBps: rate(encode), checkedMBps: rate(checked), decodeMBps: rate(decode) },
    ...{ zstdEncodeMBps: rate(zstdEncode), zstdDecodeMBps: rate(zstdDecode) },
  };
}

/** Frames one after the other, and axes in them. */
function floatsOf({ frames, axes, values }: GroupSource): Buffer {
  const lines = Array.from({ length: frames * axes }, (_, i) => values(Math.floor(i / axes), i % axes));
  return Buffer.concat(lines.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)));
}

function sourceOf(run: MeltRun, vector: keyof typeof EPS, eps: number): GroupSource {
  const names = vector === "x" ? ["x", "y", "z"] : ["x", "y", "z"].map((axis) => vector + axis);
  const values = run.frames.map((frame) =>
    names.map((name) => {
      const column = frame.columns.find((other) => other.name === name);
      return Float32Array.from(column === undefined || column.kind === "text" ? [] : column.values);
    }),
  );
  if (vector === "x") unwrap(values, (run.frames[0]?.box.bounds[1] ?? 0) - (run.frames[0]?.box.bounds[0] ?? 0));
  return {
    frames: values.length,
    axes: 3,
    atoms: values[0]?.[0]?.length ?? 0,
    elementBytes: FLOAT32_BYTES,
    mode: "max",
    eps,
    loss: 0,
    values: (frame, axis) => values[frame]?.[axis] ?? new Float32Array(0),
  };
}

function unwrap(values: Float32Array[][], edge: number): void {
  for (const [t, axes] of values.entries()) {
    for (const [axis, line] of axes.entries()) {
      const before = values[t - 1]?.[axis];
      if (before === undefined) continue;
      for (const [i, value] of line.entries())
        line[i] = value - edge * Math.round((value - (before[i] ?? value)) / edge);
    }
  }
}

/** The calls that coding is made of, on values that lie in the core's memory already. */
function timeOnce(core: TrajectoryCore, sources: readonly GroupSource[]): { encode: number; decode: number } {
  const { calls } = core;
  core.clear();
  let [encode, decode] = [0, 0];
  const planes: number[] = [];
  for (const { frames, axes, atoms, eps, values } of sources) {
    const count = axes * atoms;
    const stride = calls.strideOf(axes, atoms);
    const plane = core.reserve(4 * frames * stride);
    const mark = core.mark();
    const input = core.reserve(FLOAT32_BYTES * frames * count);
    const largest = core.reserve(8);
    const work = core.reserve(calls.workBytes(frames, axes, atoms));
    const out = core.reserve(calls.outBytes(frames, axes, atoms) + 64);
    const check = core.reserve(4 * frames * stride);
    for (let i = 0; i < frames * axes; i++) {
      const line = values(Math.floor(i / axes), i % axes);
      core.bytes(input + FLOAT32_BYTES * i * atoms, line.byteLength).set(new Uint8Array(line.buffer));
    }
    core.floats(largest, 1)[0] = 0;
    const [near = 0, far = 0] = planes;
    const begun = performance.now();
    calls.scanValues(input, frames * count, FLOAT32_BYTES, LIMIT, largest);
    const unit = calls.unitOf(eps, 0, 8, FLOAT32_BYTES, core.floats(largest, 1)[0] ?? 0);
    for (let frame = 0; frame < frames; frame++) {
      const at = input + FLOAT32_BYTES * frame * count;
      calls.toFixed(at, count, FLOAT32_BYTES, LIMIT, unit, plane + 4 * frame * stride, 0);
    }
    const bytes = calls.encodeBlock(frames, axes, atoms, 8, plane, near, far, work, out);
    core.checkStatus(bytes, "encodeBlock");
    encode += performance.now() - begun;
    const middle = performance.now();
    core.checkStatus(calls.decodeBlock(out, bytes, frames, axes, atoms, check, near, far, work), "decodeBlock");
    for (let frame = 0; frame < frames; frame++) {
      calls.fromFixed(check + 4 * frame * stride, count, FLOAT32_BYTES, unit, input + FLOAT32_BYTES * frame * count);
    }
    decode += performance.now() - middle;
    core.release(mark);
    planes.unshift(plane);
  }
  return { encode, decode };
}
