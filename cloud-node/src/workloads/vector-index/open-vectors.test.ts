import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openVectors, type VectorFileOptions } from "./open-vectors.ts";
import { VectorIndexError } from "./vector-index-error.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-vectors-"));
});
afterAll(() => rm(folder, { recursive: true }));

const ROWS = [
  [0, 1, 2],
  [3, 100, 127],
];

/** Rows that each begin with their length. */
function vecs(numberBytes: 1 | 4, write: (bytes: Buffer, value: number, at: number) => void, rows = ROWS): Buffer {
  const parts = rows.flatMap((row) => {
    const head = Buffer.alloc(4);
    head.writeInt32LE(row.length);
    const numbers = row.map((value) => {
      const bytes = Buffer.alloc(numberBytes);
      write(bytes, value, 0);
      return bytes;
    });
    return [head, ...numbers];
  });
  return Buffer.concat(parts);
}

const fvecs = (rows = ROWS) => vecs(4, (bytes, value, at) => bytes.writeFloatLE(value, at), rows);
const bvecs = () => vecs(1, (bytes, value, at) => bytes.writeUInt8(value, at));
const ivecs = (rows = ROWS) => vecs(4, (bytes, value, at) => bytes.writeInt32LE(value, at), rows);

/** As NumPy 1.24 writes it: its words, padded so that the numbers begin at byte 128. */
function npy(descr: string, shape: string, numbers: string, order = "False"): Buffer {
  const words = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${words.padEnd(117)}\n`, "latin1");
  return Buffer.concat([head, Buffer.from(numbers, "hex")]);
}

async function read(name: string, bytes: Buffer, options?: VectorFileOptions) {
  const path = join(folder, name);
  await writeFile(path, bytes);
  const source = await openVectors(path, options);
  try {
    const out = new Float32Array(source.n * source.d);
    expect(await source.read(0, out)).toBe(source.n);
    return { n: source.n, d: source.d, dtype: source.dtype, values: [...out] };
  } finally {
    await source.close();
  }
}

function raw(dtype: string): Buffer {
  const values = ROWS.flat();
  const array = { f32: Float32Array, f16: Float16Array, u8: Uint8Array, i8: Int8Array, i32: Int32Array }[dtype];
  return Buffer.from((array as Float32ArrayConstructor).from(values).buffer);
}

test.each([
  ["a.fvecs", fvecs(), "f32"],
  ["a.bvecs", bvecs(), "u8"],
  ["a.ivecs", ivecs(), "i32"],
  // What numpy.save made of the same rows.
  ["f4.npy", npy("<f4", "2, 3", "000000000000803f00000040000040400000c8420000fe42"), "f32"],
  ["f2.npy", npy("<f2", "2, 3", "0000003c004000424056f057"), "f16"],
  ["u1.npy", npy("|u1", "2, 3", "00010203647f"), "u8"],
  ["i1.npy", npy("|i1", "2, 3", "00010203647f"), "i8"],
  ["a.2x3.f32", raw("f32"), "f32"],
  ["a.2x3.f16", raw("f16"), "f16"],
  ["a.2x3.u8", raw("u8"), "u8"],
  ["a.2x3.i8", raw("i8"), "i8"],
  ["a.2x3.i32", raw("i32"), "i32"],
])("%s gives its rows", async (name, bytes, dtype) => {
  expect(await read(name, bytes)).toEqual({ n: 2, d: 3, dtype, values: ROWS.flat() });
});

test("rows with nothing before them need a length and a type, from the name or from whoever reads", async () => {
  const expected = { n: 2, d: 3, dtype: "i8", values: ROWS.flat() };
  expect(await read("a.bin", raw("i8"), { dtype: "i8", d: 3 })).toEqual(expected);
  expect(await read("a.i8", raw("i8"), { d: 3 })).toEqual(expected);
  await expect(read("a.bin", raw("i8"), { d: 3 })).rejects.toMatchObject({ code: "unknown-format" });
  await expect(read("a.u8", raw("i8"))).rejects.toMatchObject({ code: "bad-option", remedy: "say --d" });
});

test("a file of more than one piece is the same from any row on", async () => {
  const [n, d] = [3000, 130];
  const values = Float32Array.from({ length: n * d }, (_, i) => i);
  const path = join(folder, "large.fvecs");
  await writeFile(path, fvecs(Array.from({ length: n }, (_, i) => [...values.subarray(i * d, (i + 1) * d)])));
  const source = await openVectors(path);
  const out = new Float32Array(2900 * d + 7);
  for (const row of [0, 1, 100, 2999]) {
    const rows = Math.min(2900, n - row);
    expect(await source.read(row, out)).toBe(rows);
    const expected = Buffer.from(values.buffer, row * d * 4, rows * d * 4);
    expect(expected.equals(Buffer.from(out.buffer, 0, expected.length))).toBe(true);
  }
  await source.close();
});

describe("refused by name:", () => {
  const one = "0000803f";
  test.each<[string, Buffer, VectorFileOptions, string, RegExp]>([
    ["empty.fvecs", Buffer.alloc(0), {}, "truncated", /it has 0 bytes/],
    ["empty.u8", Buffer.alloc(0), { d: 3 }, "bad-shape", /no vector/],
    ["empty.npy", Buffer.alloc(0), {}, "bad-header", /does not begin/],
    ["cut.fvecs", fvecs().subarray(0, 31), {}, "truncated", /31 bytes are no whole rows of 3 f32, 16 bytes each/],
    ["cut.u8", raw("u8"), { d: 4 }, "truncated", /6 bytes are no whole rows of 4 u8/],
    ["cut.3x3.u8", raw("u8"), {}, "truncated", /it has 2 rows, and its name says 3/],
    ["cut.npy", npy("<f4", "2, 3", one), {}, "truncated", /needs 152 bytes, and it has 132/],
    ["long.npy", npy("|u1", "1, 3", one), {}, "truncated", /needs 131 bytes, and it has 132/],
    ["huge.npy", npy("<f4", "9999999999, 65535", one), {}, "too-large", /rows are over/],
    ["wide.npy", npy("<f4", "1, 99999999", one), {}, "too-large", /99999999 dimensions/],
    ["zero.fvecs", Buffer.alloc(8), {}, "bad-shape", /shape is \(1, 0\)/],
    ["minus.fvecs", Buffer.alloc(8, 255), {}, "bad-shape", /shape is \(1, -1\)/],
    ["wide.fvecs", Buffer.alloc(8, 127), {}, "too-large", /2139062143 dimensions/],
    [
      "uneven.fvecs",
      fvecs([[1, 2], [3, 4, 5], [6]]),
      {},
      "bad-shape",
      /row 1: it says 3 dimensions, and the first row 2/,
    ],
    [
      "nan.fvecs",
      fvecs([
        [1, 2],
        [3, Number.NaN],
      ]),
      {},
      "not-finite",
      /nan.fvecs, row 1, column 1: the value is NaN/,
    ],
    ["inf.npy", npy("<f2", "1, 2", "003c007c"), {}, "not-finite", /row 0, column 1: the value is Infinity/],
    ["beyond.fvecs", fvecs([[1, -1e17]]), {}, "too-large", /row 0, column 1: -1.000e\+17 is beyond 1e\+16/],
    ["beyond.ivecs", ivecs([[2 ** 24 - 1, 2 ** 24 + 1]]), {}, "too-large", /row 0, column 1/],
    ["f8.npy", npy("<f8", "1, 1", "0000000000000000"), {}, "unknown-format", /numbers are <f8/],
    ["big.npy", npy(">f4", "1, 1", one), {}, "unknown-format", /numbers are >f4/],
    ["object.npy", npy("|O", "1, 1", one), {}, "unknown-format", /numbers are \|O/],
    ["columns.npy", npy("<f4", "1, 1", one, "True"), {}, "unknown-format", /column by column/],
    ["line.npy", npy("<f4", "1,", one), {}, "bad-shape", /shape is \(1,\)/],
    ["cube.npy", npy("<f4", "1, 1, 1", one), {}, "bad-shape", /shape is \(1, 1, 1\)/],
    ["none.npy", npy("<f4", "0, 3", ""), {}, "bad-shape", /shape is \(0, 3\)/],
    ["words.npy", npy("<f4", "one, 3", ""), {}, "bad-header", /no descr, fortran_order or shape/],
    ["version.npy", Buffer.concat([npy("<f4", "1, 1", one).fill(9, 6, 7)]), {}, "bad-header", /version is 9/],
    ["head.npy", npy("<f4", "1, 1", one).fill(255, 8, 10), {}, "bad-header", /header ends at byte 65545/],
    ["a.txt", raw("u8"), {}, "unknown-format", /end in "\.txt"/],
    ["a.fvecs", fvecs(), { d: 4 }, "bad-option", /rows have 3 numbers, and --d says 4/],
    ["a.2x3.i8", raw("i8"), { d: 2 }, "bad-option", /rows have 3 numbers, and --d says 2/],
    ["a.fvecs", fvecs(), { dtype: "u8" }, "bad-option", /numbers are f32, and --dtype says u8/],
  ])("%s", async (name, bytes, options, code, words) => {
    const error = await read(name, bytes, options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VectorIndexError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) });
  });
});

test("what is no file is refused: nothing there, a folder, a device", async () => {
  await expect(openVectors(join(folder, "absent.npy"))).rejects.toMatchObject({ code: "no-file" });
  await mkdir(join(folder, "folder.npy"));
  await expect(openVectors(join(folder, "folder.npy"))).rejects.toMatchObject({ code: "unreadable" });
  if (process.platform === "win32") return;
  await expect(openVectors("/dev/zero", { dtype: "u8", d: 2 })).rejects.toMatchObject({ code: "unreadable" });
});

test("a file that becomes shorter while it is read is told of, and where it ended", async () => {
  const path = join(folder, "shrinks.fvecs");
  await writeFile(path, fvecs());
  const source = await openVectors(path);
  await truncate(path, 20);
  await expect(source.read(0, new Float32Array(6))).rejects.toMatchObject({ code: "truncated", place: { byte: 20 } });
  await source.close();
});
