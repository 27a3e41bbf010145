import { type FileHandle, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeHead } from "./chunk-head.ts";
import { CHUNK_PREAMBLE_BYTES, CHUNK_TAG, CRC_BYTES } from "./container-format.ts";
import { ContainerReader } from "./container-reader.ts";
import { ContainerWriter, type PackOptions } from "./container-writer.ts";
import { parseEpsRules } from "./eps-rules.ts";
import type { Column, TrajectoryFrame } from "./frame.ts";
import { Melt, SeededNumbers } from "./melt.suite.ts";
import { TrajectoryCore } from "./trajectory-core.ts";

const CORE = TrajectoryCore.load();
const READING = TrajectoryCore.load();
const RULES = parseEpsRules("x=1e-3,v=1e-2,f=1e-1");
const OPTIONS: PackOptions = { rules: RULES, mode: "max", core: CORE };
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-trajectory-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function withFile<Result>(bytes: Uint8Array, use: (file: FileHandle) => Promise<Result>): Promise<Result> {
  const path = join(folder, "container.lkt");
  await writeFile(path, bytes);
  const file = await open(path, "r+");
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function pack(frames: readonly TrajectoryFrame[], options: Partial<PackOptions> = {}): Promise<Buffer> {
  return withFile(new Uint8Array(0), async (file) => {
    const writer = await ContainerWriter.create(file, { ...OPTIONS, ...options });
    for (const frame of frames) await writer.add(frame);
    await writer.end();
    return readFile(join(folder, "container.lkt"));
  });
}

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

interface Unpacked {
  readonly frames: TrajectoryFrame[];
  readonly isWhole: boolean;
}

function unpack(bytes: Uint8Array): Promise<Unpacked> {
  return withFile(bytes, async (file) => {
    const reader = await ContainerReader.open(file, "container.lkt", READING);
    const frames = await collected(reader.read());
    return { frames, isWhole: reader.damage.length === 0 && reader.isFinished };
  });
}

function valuesOf(column: Column | undefined): ArrayLike<number> {
  return column === undefined ? [] : column.kind === "text" ? column.codes : column.values;
}

const EPS: Readonly<Record<string, number>> = {
  ...{ x: 1e-3, y: 1e-3, z: 1e-3, vx: 1e-2, vy: 1e-2, vz: 1e-2, fx: 0.1, fy: 0.1, fz: 0.1 },
};

/** Every value of `found` is within its bound of `source`, by row; everything else is the same. */
function expectWithin(found: TrajectoryFrame | undefined, source: TrajectoryFrame): void {
  const { columns, ids, source: _, ...rest } = source;
  expect(found).toMatchObject(rest);
  expect(found?.ids).toEqual(ids);
  expect(found?.columns.map(({ name, kind }) => [name, kind])).toEqual(columns.map(({ name, kind }) => [name, kind]));
  for (const [i, column] of columns.entries()) {
    const back = found?.columns[i];
    const eps = EPS[column.name] ?? 0;
    const [expected, got] = [valuesOf(column), valuesOf(back)];
    expect(got.length).toBe(expected.length);
    const isWithin = Array.from(expected).every((value, row) => {
      const other = got[row] ?? Number.NaN;
      return Object.is(value, other) || (eps > 0 && Math.abs(value - other) <= eps);
    });
    expect(isWithin, `${column.name} of step ${source.step}`).toBe(true);
    if (column.kind === "text" && back?.kind === "text") {
      expect(Array.from(back.codes, (code) => back.words[code])).toEqual(
        Array.from(column.codes, (code) => column.words[code]),
      );
    }
  }
}

function meltFrames(atoms: number, frames: number, seed = 11, interval = 0.05): TrajectoryFrame[] {
  const melt = new Melt({ atoms, frames, interval, seed });
  return Array.from({ length: frames }, (_, index) => melt.frame(index));
}

test("every frame and column of a dump comes back within its bound, through the faces of the box", async () => {
  const frames = meltFrames(60, 45);
  const { frames: found, isWhole } = await unpack(await pack(frames, { chunkFrames: 20 }));
  expect(isWhole).toBe(true);
  expect(found.length).toBe(45);
  for (const [i, frame] of frames.entries()) expectWithin(found[i], frame);
  const crossed = frames.some((frame, t) => {
    const [now, before] = [valuesOf(frame.columns[2]), valuesOf(frames[t - 1]?.columns[2])];
    return Array.from(now).some((x, i) => Math.abs(x - (before[i] ?? x)) > 2);
  });
  expect(crossed).toBe(true);
});

test("a frame, or a column, is the same when it is read alone, in any order", async () => {
  const bytes = await pack(meltFrames(30, 25), { chunkFrames: 10 });
  const { frames } = await unpack(bytes);
  await withFile(bytes, async (file) => {
    const reader = await ContainerReader.open(file, "c", READING);
    for (const index of [24, 3, 3, 17, 0, 9, 10]) {
      expect(await reader.frame(index)).toEqual(frames[index]);
      for (const name of ["x", "fz", "id", "type"]) {
        const alone = await reader.frame(index, [name]);
        expect(alone.columns).toEqual(frames[index]?.columns.filter((column) => column.name === name));
      }
    }
    await expect(reader.frame(25)).rejects.toMatchObject({ name: "TrajectoryError", code: "no-such-frame" });
    await expect(reader.frame(-1)).rejects.toMatchObject({ code: "no-such-frame" });
    await expect(reader.frame(0, ["q"])).rejects.toMatchObject({ code: "no-such-column" });
  });
});

test("a column is read past damage in columns that it does not lean on", async () => {
  const bytes = await pack(meltFrames(30, 10));
  const heads = await withFile(bytes, async (file) => {
    const reader = await ContainerReader.open(file, "c", READING);
    return collected(reader.heads());
  });
  const blocks = heads[0]?.head.blocks ?? [];
  const last = blocks.slice(1).reduce((sum, block) => sum + block.bytes, 0);
  const end = bytes.indexOf("INDX");
  const spoilt = bytes.fill(0x55, end - last, end);
  await withFile(spoilt, async (file) => {
    const reader = await ContainerReader.open(file, "c", READING);
    expect((await reader.frame(4, ["fx"])).columns.length).toBe(1);
    await expect(reader.frame(4, ["x"])).rejects.toMatchObject({ code: "bad-chunk" });
  });
});

/** Rows shuffled, as LAMMPS leaves them without `sort id`. */
function shuffled(frame: TrajectoryFrame, random: SeededNumbers): TrajectoryFrame {
  const rows = Array.from({ length: frame.atoms }, (_, i) => ({ i, key: random.next() })).sort((a, b) => a.key - b.key);
  const columns = frame.columns.map((column) =>
    column.kind === "text" ? column : { ...column, values: Float64Array.from(rows, ({ i }) => column.values[i] ?? 0) },
  );
  const [ids] = columns;
  return { ...frame, ids: ids?.kind === "text" ? undefined : ids?.values, columns };
}

test("rows that change their order come back by id, or in the order that they had where that is kept", async () => {
  const random = new SeededNumbers(5);
  const sorted = meltFrames(40, 12);
  const frames = sorted.map((frame) => shuffled(frame, random));
  const byId = await unpack(await pack(frames));
  const kept = await unpack(await pack(frames, { keepRows: true }));
  for (const [i, frame] of frames.entries()) {
    expectWithin(byId.frames[i], sorted[i] as TrajectoryFrame);
    expectWithin(kept.frames[i], frame);
  }
});

test("no atoms, other atoms, other columns, repeated ids, words, odd numbers: every frame comes back", async () => {
  const base = meltFrames(12, 8);
  const [first] = base as [TrajectoryFrame];
  const empty = { ...first, atoms: 0, ids: new Float64Array(0), columns: first.columns.map(emptied) };
  const fewer = (frame: TrajectoryFrame): TrajectoryFrame => ({
    ...frame,
    atoms: 7,
    ids: frame.ids?.slice(0, 7),
    columns: frame.columns.map((column) =>
      column.kind === "text" ? column : { ...column, values: column.values.slice(0, 7) },
    ),
  });
  const repeated = {
    ...first,
    ids: new Float64Array(12).fill(4),
    columns: first.columns.map((column) =>
      column.name === "id" && column.kind !== "text" ? { ...column, values: new Float64Array(12).fill(4) } : column,
    ),
  };
  const words: Column = {
    kind: "text",
    name: "element",
    words: ["Ar", "Kr", "é"],
    codes: Uint32Array.from({ length: 12 }, (_, i) => (i * 7) % 3),
  };
  const odd: Column = {
    kind: "real",
    name: "c_odd",
    values: Float64Array.from(
      { length: 12 },
      (_, i) => [-0, Number.NaN, Number.NEGATIVE_INFINITY, 1e-300, 0.1][i % 5] ?? 0,
    ),
  };
  const minus: Column = {
    kind: "real",
    name: "c_minus",
    values: Float64Array.from({ length: 12 }, (_, i) => -(i % 3)),
  };
  const other = { ...first, time: 0.5, units: "lj", step: 2n ** 62n, columns: [...first.columns, words, odd, minus] };
  const frames = [
    empty,
    ...base.slice(0, 3),
    ...base.slice(3, 5).map(fewer),
    repeated,
    repeated,
    other,
    { ...other, step: -5n },
    empty,
  ];
  const { frames: found, isWhole } = await unpack(await pack(frames));
  expect(isWhole).toBe(true);
  expect(found.length).toBe(frames.length);
  for (const [i, frame] of frames.entries()) expectWithin(found[i], frame);
});

function emptied(column: Column): Column {
  return column.kind === "text" ? { ...column, codes: new Uint32Array(0) } : { ...column, values: new Float64Array(0) };
}

test("columns that are the same in every frame are kept once, and only then", async () => {
  const melt = new Melt({ atoms: 60, frames: 40, interval: 0.05, seed: 9 });
  const random = new SeededNumbers(5);
  const charge = Float64Array.from({ length: 60 }, () => random.next());
  const codes = Uint32Array.from({ length: 60 }, (_, i) => (i * i) % 3);
  const still = Array.from({ length: 40 }, (_, index): TrajectoryFrame => {
    const frame = melt.frame(index);
    const columns: Column[] = [
      ...frame.columns.filter(({ name }) => name === "id" || name === "type"),
      { kind: "real", name: "q", values: charge.slice() },
      { kind: "text", name: "element", words: ["Na", "Cl", "K"], codes: codes.slice() },
    ];
    return { ...frame, columns };
  });
  const [one, all] = [await pack(still.slice(0, 1)), await pack(still)];
  expect(all.length).toBeLessThan(one.length + 4 * 40);
  const moving = still.map((frame, t): TrajectoryFrame => {
    if (t < 39) return frame;
    const columns = frame.columns.map((column): Column => {
      if (column.kind === "text") return { ...column, codes: column.codes.with(7, 2) };
      return column.name === "q" ? { ...column, values: column.values.with(3, -0) } : column;
    });
    return { ...frame, columns };
  });
  for (const frames of [still, moving]) {
    const { frames: found } = await unpack(await pack(frames));
    const words = (frame: TrajectoryFrame | undefined) =>
      frame?.columns.map((column) =>
        column.kind === "text" ? Array.from(column.codes, (code) => column.words[code]) : column.values,
      );
    for (const [t, frame] of frames.entries()) expect(words(found[t]), `frame ${t}`).toEqual(words(frame));
  }
});

/** Positions alone, in a periodic cube of edge 10. */
function positionFrame(step: number, axes: readonly (readonly number[])[], edge = 10): TrajectoryFrame {
  const columns = axes.map(
    (values, axis): Column => ({ kind: "real", name: "xyz".charAt(axis), values: Float64Array.from(values) }),
  );
  return {
    step: BigInt(step),
    time: undefined,
    units: undefined,
    box: { shape: "orthogonal", boundary: ["pp", "pp", "pp"], bounds: [0, edge, 0, edge, 0, edge] },
    atoms: axes[0]?.length ?? 0,
    ids: undefined,
    columns,
    source: undefined,
  };
}

test.each(["max", "rms"] as const)(
  "positions far outside the box, and escapes that a path leads to, keep their bound as they are read: %s",
  async (mode) => {
    const random = new SeededNumbers(21);
    const start = Array.from({ length: 64 }, () => [0, 1, 2].map(() => 10 * random.next()));
    const far = Array.from({ length: 60 }, (_, t) =>
      positionFrame(
        t,
        [0, 1, 2].map((axis) => start.map((at) => (at[axis] ?? 0) + 1e-3 * t * (axis + 1) + 9e6 * t)),
      ),
    );
    const gone = Array.from({ length: 20 }, (_, t) => {
      const jump = (i: number) => (t === 0 ? 9.9 : t < 10 ? 0.1 : 1e14 + 0.3 + i + t);
      const lines = [0, 1, 2].map((axis) => start.map((at, i) => (axis === 0 && i < 2 ? jump(i) : (at[axis] ?? 0))));
      return positionFrame(t, lines, 10.123);
    });
    for (const frames of [far, gone]) {
      const { frames: found } = await unpack(await pack(frames, { rules: parseEpsRules("x=1e-8"), mode }));
      expect(found.length).toBe(frames.length);
      const errors = frames.flatMap(({ columns }, t) =>
        columns.flatMap((column, axis) => {
          const back = valuesOf(found[t]?.columns[axis]);
          return Array.from(valuesOf(column), (value, row) => Math.abs(value - (back[row] ?? Number.NaN)) / 1e-8);
        }),
      );
      expect(errors.reduce((worst, error) => (error <= worst ? worst : error), 0)).toBeLessThanOrEqual(1);
      const squares = errors.reduce((sum, error) => sum + error * error, 0);
      if (mode === "rms") expect(Math.sqrt(squares / errors.length)).toBeLessThan(0.5);
    }
  },
);

test("names, words and unit styles come back however long they are; what no reader would take is not written", async () => {
  const [first] = meltFrames(3, 1) as [TrajectoryFrame];
  const long = (letter: string) => letter.repeat(5000);
  const words: Column = { kind: "text", name: "element", words: [long("w"), ""], codes: Uint32Array.of(0, 1, 0) };
  const named: Column = { kind: "real", name: `c_${long("n")}`, values: Float64Array.of(1, 2.5, -3) };
  const frame = { ...first, units: long("u"), columns: [...first.columns, words, named] };
  const { frames: found } = await unpack(await pack([frame]));
  expectWithin(found[0], frame);
  await withFile(new Uint8Array(0), async (file) => {
    const writer = await ContainerWriter.create(file, OPTIONS);
    const { size } = await file.stat();
    await writer.add({ ...first, columns: [...first.columns, { ...named, name: "" }] });
    await expect(writer.end()).rejects.toMatchObject({ name: "TrajectoryError", code: "bad-frame" });
    expect((await file.stat()).size).toBe(size);
  });
});

test("frames that are added later are as if they had been there from the start, also after a writer that was cut off", async () => {
  const frames = meltFrames(20, 30);
  const half = await pack(frames.slice(0, 20), { chunkFrames: 10 });
  const { frames: all } = await unpack(await pack(frames, { chunkFrames: 10 }));
  for (const kept of [half.length, half.length - 5, half.length - 25]) {
    const found = await withFile(half.subarray(0, kept), async (file) => {
      const writer = await ContainerWriter.append(file, "c", { ...OPTIONS, chunkFrames: 10 });
      expect(writer.written.frames).toBe(20);
      for (const frame of frames.slice(20)) await writer.add(frame);
      await writer.end();
      const reader = await ContainerReader.open(file, "c", READING);
      expect([reader.isFinished, reader.damage]).toEqual([true, []]);
      return collected(reader.read());
    });
    expect(found).toEqual(all);
  }
});

test("what was written before a writer was killed inside a chunk is there, and its place is used again", async () => {
  const frames = meltFrames(20, 30);
  const bytes = await pack(frames, { chunkFrames: 10 });
  const third = bytes.lastIndexOf("CHNK");
  await withFile(bytes.subarray(0, third + 60), async (file) => {
    const writer = await ContainerWriter.append(file, "c", { ...OPTIONS, chunkFrames: 10 });
    expect(writer.written.frames).toBe(20);
    for (const frame of frames.slice(20)) await writer.add(frame);
    await writer.end();
  });
  expect(await readFile(join(folder, "container.lkt"))).toEqual(bytes);
});

test("a chunk that is damaged costs its own frames and no others, with the index and without", async () => {
  const bytes = await pack(meltFrames(20, 30), { chunkFrames: 10 });
  const { frames } = await unpack(bytes);
  const second = bytes.indexOf("CHNK", bytes.indexOf("CHNK") + 1);
  const spoilt = Buffer.from(bytes);
  spoilt.writeUInt8((spoilt[second + 40] ?? 0) ^ 1, second + 40);
  await withFile(spoilt, async (file) => {
    const reader = await ContainerReader.open(file, "c", READING);
    await expect(reader.frame(12)).rejects.toMatchObject({ code: "bad-chunk", place: { byte: second } });
    expect(await reader.frame(25)).toEqual(frames[25]);
  });
  const { frames: left, isWhole } = await unpack(spoilt.subarray(0, -30));
  expect(isWhole).toBe(false);
  expect(left).toEqual([...frames.slice(0, 10), ...frames.slice(20)]);
});

test("cut off at any byte, a container gives its whole chunks and says that it is cut, or says that it is none", {
  timeout: 120_000,
}, async () => {
  const bytes = await pack(meltFrames(3, 8), { chunkFrames: 4 });
  const { frames } = await unpack(bytes);
  const chunks = [bytes.indexOf("CHNK"), bytes.lastIndexOf("CHNK"), bytes.lastIndexOf("INDX")];
  expect(bytes.readUInt32LE(chunks[0])).toBe(CHUNK_TAG);
  let opened = 0;
  for (let length = 0; length < bytes.length; length++) {
    const found = await unpack(bytes.subarray(0, length)).catch((error: unknown) => error);
    if (found instanceof Error) {
      expect(found).toMatchObject({ name: "TrajectoryError" });
      expect(length).toBeLessThan(chunks[0] ?? 0);
      continue;
    }
    const whole = length >= (chunks[2] ?? 0) ? 8 : length >= (chunks[1] ?? 0) ? 4 : 0;
    expect(found, `${length} bytes`).toMatchObject({ isWhole: false, frames: frames.slice(0, whole) });
    opened += 1;
  }
  expect(opened).toBeGreaterThan(500);
});

test("any byte that is changed is noticed, or changes nothing", { timeout: 120_000 }, async () => {
  const bytes = await pack(meltFrames(3, 8), { chunkFrames: 4 });
  const { frames } = await unpack(bytes);
  const codes = new Map<string, number>();
  for (let at = 0; at < bytes.length; at++) {
    for (const flip of [0x01, 0xff]) {
      const spoilt = Buffer.from(bytes);
      spoilt.writeUInt8((bytes[at] ?? 0) ^ flip, at);
      const found = await unpack(spoilt).catch((error: unknown) => error);
      if (found instanceof Error) {
        expect(found, `byte ${at}`).toMatchObject({ name: "TrajectoryError" });
        const code = "code" in found ? String(found.code) : "";
        codes.set(code, (codes.get(code) ?? 0) + 1);
        continue;
      }
      const { isWhole, frames: left } = found as Unpacked;
      if (left.length === 8) expect(left, `byte ${at}`).toEqual(frames);
      else expect(isWhole, `byte ${at}`).toBe(false);
      codes.set(isWhole ? "harmless" : "found", (codes.get(isWhole ? "harmless" : "found") ?? 0) + 1);
    }
  }
  expect([...codes.keys()].toSorted()).toEqual([
    "bad-chunk",
    "bad-container",
    "found",
    "not-a-container",
    "unknown-version",
  ]);
});

/** A container of one chunk that claims to be so large: every block is `block`, and all checksums are right. */
async function claiming(atoms: number, columns: number, frames: number, block: Uint8Array): Promise<Buffer> {
  const empty = new Uint8Array(0);
  const names = Array.from({ length: columns }, (_, i) => `q${i}`);
  const about = { coding: "codes", frames, bytes: block.length, crc: CORE.checksum(block), unit: 1 } as const;
  const lists = { partners: [], escapes: empty, escapeBits: empty, turns: empty, kinds: "r", words: [] };
  const head = encodeHead({
    ...{ atoms, columns: names, ids: empty, idOrder: "none", rows: [], units: null },
    groups: names.map((name) => ({ columns: [name], axes: [], mode: "max", eps: 1, decimals: 0, period: "none" })),
    blocks: names.map(() => ({ ...about, ...lists })),
    steps: Array.from({ length: frames }, (_, i) => i),
    times: Array.from({ length: frames }, () => null),
    boxes: [{ from: 0, shape: "orthogonal", boundary: null, bounds: [0, 1, 0, 1, 0, 1] }],
  });
  const preamble = Buffer.alloc(CHUNK_PREAMBLE_BYTES);
  preamble.writeUInt32LE(CHUNK_TAG, 0);
  preamble.writeUInt32LE(frames, 4);
  preamble.writeUInt32LE(head.length, 16);
  preamble.writeUInt32LE(columns * block.length, 20);
  preamble.writeUInt32LE(CORE.checksum(preamble.subarray(0, -CRC_BYTES), head), CHUNK_PREAMBLE_BYTES - CRC_BYTES);
  const whole = await pack(meltFrames(3, 1));
  return Buffer.concat([whole.subarray(0, whole.indexOf("CHNK")), preamble, head, ...names.map(() => block)]);
}

test("a chunk that claims more than memory holds is damaged, whatever its checksums say", async () => {
  for (const [atoms, columns, frames, problem] of [
    [2147483640, 1, 1, "are too many"],
    [1e9, 1, 1, "are too many"],
    [3e9, 1, 1, "are too many"],
    [2 ** 32 + 1, 1, 1, "are too many"],
    [2_796_202, 40, 8, "are too many"],
    // As many as a writer puts into a chunk, of one column.
    [11_200_000, 1, 2, "block 0 does not decode"],
  ] as const) {
    const bytes = await claiming(atoms, columns, frames, new Uint8Array(64));
    await withFile(bytes, async (file) => {
      const reader = await ContainerReader.open(file, "c", TrajectoryCore.load());
      const told = { name: "TrajectoryError", code: "bad-chunk", message: expect.stringContaining(problem) };
      await expect(reader.frame(0)).rejects.toMatchObject(told);
    });
  }
});

test.each([
  [2, 1],
  [2000, 0],
])("%i tags that begin no chunk cost a few readings of the file, not one for every tag", async (count, frames) => {
  const whole = await pack(meltFrames(3, 1));
  const start = whole.indexOf("CHNK");
  const tags = Array.from({ length: count }, (_, i) => {
    const preamble = Buffer.from(whole.subarray(start, start + CHUNK_PREAMBLE_BYTES));
    preamble.writeUInt32LE((count - 1 - i) * CHUNK_PREAMBLE_BYTES, 16);
    return preamble;
  });
  const bytes = Buffer.concat([whole.subarray(0, start), ...tags, whole.subarray(start)]).subarray(0, -20);
  await withFile(bytes, async (file) => {
    let read = 0;
    const counted = {
      stat: () => file.stat(),
      read: async (buffer: Buffer, offset: number, length: number, position: number) => {
        const found = await file.read(buffer, offset, length, position);
        read += found.bytesRead;
        return found;
      },
    };
    const reader = await ContainerReader.open(counted as unknown as FileHandle, "c", READING);
    expect([reader.frames, reader.isFinished, reader.damage.length]).toEqual([frames, false, 1]);
    expect(read).toBeLessThan(16 * bytes.length);
  });
});
