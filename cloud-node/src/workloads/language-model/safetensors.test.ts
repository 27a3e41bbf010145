import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LanguageModelError } from "./language-model-error.ts";
import { SafetensorsReader } from "./safetensors-reader.ts";
import { safetensorsPieces } from "./safetensors-writer.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-safetensors-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function withFile<T>(bytes: Uint8Array, use: (reader: SafetensorsReader) => Promise<T>): Promise<T> {
  const path = join(folder, "file");
  writeFileSync(path, bytes);
  const file: FileHandle = await open(path);
  try {
    return await use(await SafetensorsReader.open(file, "file"));
  } finally {
    await file.close();
  }
}

/** A file as the format's specification has it, written by hand. */
function byHand(header: string, data: Uint8Array, length = BigInt(Buffer.byteLength(header))): Buffer {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(length);
  return Buffer.concat([head, Buffer.from(header), data]);
}

function entry(type: string, shape: readonly number[], begin: number, end: number): string {
  return `{"dtype":"${type}","shape":[${shape}],"data_offsets":[${begin},${end}]}`;
}

test("a file that follows the specification is read, whatever its numbers are kept as", async () => {
  const data = Buffer.alloc(30);
  data.writeDoubleLE(Math.PI, 0);
  data.writeFloatLE(-0.5, 8);
  data.writeFloatLE(3, 12);
  // binary16: 1, -2, the least above zero, infinity; bfloat16: 1, -3.
  for (const [i, bits] of [0x3c00, 0xc000, 0x0001, 0x7c00, 0x3f80, 0xc040].entries())
    data.writeUInt16LE(bits, 16 + 2 * i);
  data.writeInt8(-7, 28);
  data.writeUInt8(200, 29);
  const parts = [
    `"__metadata__":{"by":"hand"}`,
    ...[`"d":${entry("F64", [1], 0, 8)}`, `"f":${entry("F32", [2, 1], 8, 16)}`, `"h":${entry("F16", [4], 16, 24)}`],
    ...[`"b":${entry("BF16", [2], 24, 28)}`, `"i":${entry("I8", [], 28, 29)}`, `"u":${entry("U8", [1], 29, 30)}`],
  ];
  await withFile(byHand(`{${parts}}  `, data), async (reader) => {
    expect([...reader.metadata]).toEqual([["by", "hand"]]);
    expect([...reader.tensors].map(({ name }) => name)).toEqual(["d", "f", "h", "b", "i", "u"]);
    expect(await reader.floats("d", [1])).toEqual(Float64Array.of(Math.PI));
    expect(await reader.floats("f", [2, 1])).toEqual(Float32Array.of(-0.5, 3));
    expect(await reader.floats("h", [4])).toEqual(Float32Array.of(1, -2, 2 ** -24, Number.POSITIVE_INFINITY));
    expect(await reader.floats("b", [2])).toEqual(Float32Array.of(1, -3));
    expect(await reader.floats("i", [])).toEqual(Float32Array.of(-7));
    expect(await reader.floats("u", [1])).toEqual(Float32Array.of(200));
    await expect(reader.floats("f", [2])).rejects.toThrow("f is of shape (2, 1), and not (2)");
    await expect(reader.floats("g", [2])).rejects.toThrow("it has no tensor g");
  });
});

test("what is written is laid out as the specification says, and comes back bit for bit", async () => {
  const shapes = fc.array(fc.nat(4), { maxLength: 3 });
  const floats = fc.array(fc.float(), { minLength: 64, maxLength: 64 });
  const tensors = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), shapes, floats, fc.boolean()), {
    selector: ([name]) => name,
    maxLength: 6,
  });
  const metadata = fc.dictionary(fc.string(), fc.string());
  await fc.assert(
    fc.asyncProperty(tensors, metadata, async (drawn, words) => {
      const sources = drawn
        .filter(([name]) => name !== "__metadata__")
        .map(([name, shape, numbers, isWide]) => {
          const own = numbers.slice(
            0,
            shape.reduce((a, b) => a * b, 1),
          );
          const values = isWide ? Float64Array.from(own) : Float32Array.from(own);
          return { name, shape, type: isWide ? ("F64" as const) : ("F32" as const), values, read: () => values };
        });
      const bytes = await buffer(safetensorsPieces(sources, new Map(Object.entries(words))));
      const headerBytes = Number(bytes.readBigUInt64LE());
      expect(headerBytes % 8).toBe(0);
      const header = JSON.parse(bytes.toString("utf8", 8, 8 + headerBytes));
      for (const { name, values } of sources) {
        const [begin, end] = header[name].data_offsets;
        expect((8 + headerBytes + begin) % values.BYTES_PER_ELEMENT).toBe(0);
        const kept = bytes.subarray(8 + headerBytes + begin, 8 + headerBytes + end);
        expect(kept).toEqual(Buffer.from(values.buffer));
      }
      await withFile(bytes, async (reader) => {
        expect(Object.fromEntries(reader.metadata)).toEqual({ ...words });
        for (const { name, shape, values } of sources) expect(await reader.floats(name, shape)).toEqual(values);
      });
    }),
    { numRuns: 60 },
  );
});

const DATA = Buffer.alloc(8);

test.each([
  ["an overlap", `{"a":${entry("F32", [1], 0, 4)},"b":${entry("F32", [2], 0, 8)}}`, "belong to no tensor, or to two"],
  ["a gap", `{"a":${entry("F32", [1], 4, 8)}}`, "bytes 68 to 72 in front of a"],
  ["bytes of nobody", `{"a":${entry("F32", [1], 0, 4)}}`, "4 bytes at its end belong to no tensor"],
  ["a size that is not the shape's", `{"a":${entry("F32", [3], 0, 8)}}`, "F32 of shape (3), 12 bytes, and has 8"],
  ["ends in front of beginnings", `{"a":${entry("F32", [2], 8, 0)}}`, "8 bytes, and has -8"],
  ["a size beyond all numbers", `{"a":${entry("F32", [1e9, 1e9, 1e9], 0, 8)}}`, "and has 8"],
  ["offsets beyond all numbers", `{"a":${entry("U8", [9e15], 0, 9e15)}}`, "of 9000000000000"],
  ["negative lengths", `{"a":${entry("F32", [-1, -2], 0, 8)}}`, '"a", shape.0'],
  ["lengths that are no whole numbers", `{"a":${entry("F32", [0.5, 4], 0, 8)}}`, '"a", shape.0'],
  ["a type that is not known", `{"a":${entry("F33", [2], 0, 8)}}`, '"a", dtype'],
  ["an entry that is none", `{"a":7}`, '"a", its entry'],
  ["metadata that are no words", `{"__metadata__":{"a":1},"a":${entry("F32", [2], 0, 8)}}`, "not words to words"],
  ["a tensor that is there twice", `{"a":${entry("F32", [1], 0, 4)},"a":${entry("F32", [1], 4, 8)}}`, "in front of a"],
  ["no JSON", "{", "its header is no JSON"],
  ["a list", "[]", "no JSON object"],
  ["no UTF-8", '{"\xff', "its header is no JSON"],
])("a header with %s is refused with what is wrong", async (_, header, part) => {
  const padded = header.padEnd(60);
  const bytes = byHand(padded, DATA);
  if (header.includes("\xff")) bytes.writeUInt8(0xff, 10);
  await expect(withFile(bytes, async () => {})).rejects.toThrow(part);
  await expect(withFile(bytes, async () => {})).rejects.toBeInstanceOf(LanguageModelError);
});

test("a length that no file has takes no memory", async () => {
  const promised = (length: bigint) => withFile(byHand("{}", DATA, length), async () => {});
  await expect(promised(2n ** 64n - 1n)).rejects.toThrow("would have 18446744073709551615 bytes");
  await expect(promised(99_000_000n)).rejects.toThrow("file has 18 bytes of 99000008");
});

const WHOLE = await buffer(
  safetensorsPieces(
    [
      { name: "a", shape: [3, 2], type: "F32", read: () => Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: "b", shape: [2], type: "F64", read: () => Float64Array.of(7, 8) },
    ],
    new Map([["who", "me"]]),
  ),
);

test("a file that is cut off anywhere is refused, and so is a longer one", async () => {
  for (let bytes = 0; bytes < WHOLE.length; bytes += 1) {
    await expect(withFile(WHOLE.subarray(0, bytes), async () => {})).rejects.toMatchObject({ code: "truncated" });
  }
  const longer = Buffer.concat([WHOLE, Buffer.alloc(1)]);
  await expect(withFile(longer, async () => {})).rejects.toMatchObject({ code: "bad-safetensors" });
});

test("whatever is broken in a header, it is refused or read within the file", async () => {
  const headerEnd = 8 + Number(WHOLE.readBigUInt64LE());
  const place = fc.nat(headerEnd - 1);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 }), async (breaks) => {
      const bytes = Buffer.from(WHOLE);
      for (const [at, value] of breaks) bytes.writeUInt8(value, at);
      try {
        await withFile(bytes, async (reader) => {
          for (const { offset, bytes: length } of reader.tensors)
            expect(offset + length).toBeLessThanOrEqual(WHOLE.length);
        });
      } catch (error) {
        expect(error).toBeInstanceOf(LanguageModelError);
      }
    }),
    { numRuns: 500 },
  );
});
