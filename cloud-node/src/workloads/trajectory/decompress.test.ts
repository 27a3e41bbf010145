import { setTimeout as sleep } from "node:timers/promises";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { decompress } from "./decompress.ts";
import { seededRandom } from "./dump-text.suite.ts";
import { TrajectoryError } from "./trajectory-error.ts";

const SEED = Number(process.env.SEED ?? 20_261_122);

/** Lines of numbers, a long run, every printable character: what BZIP2_OF_IT holds. */
const TEXT = Buffer.from(
  [
    Array.from({ length: 40_000 }, (_, i) => `${i % 7} ${i % 3}.5\n`).join(""),
    "a".repeat(300),
    Array.from({ length: 300 }, (_, i) => String.fromCharCode(33 + (i % 90))).join(""),
    "\n",
  ].join(""),
);

/** TEXT through `bzip2 -1`: three blocks. */
const BZIP2_OF_IT = Buffer.from(
  [
    "QlpoMTFBWSZTWafRuEQAYaNYAAAQQAF/ADABkahBADAKUqHtU2gUqp/qo2ibypCB1KFxKFsUL+lC8ShdihbFC2KFqULUoWxQtihalC2KFuRQuRQ",
    "uJQuJQv0ULYoWpQvsULiULkULRQslCyULJQtFCyULJQslC0ULRQslC0ULRQtFCyULJQtFCyULsokeUUpMlEjKKUmSiRiKUmRRI7UhAwUSPTFBWS",
    "ZTWfaDId8AWFZYAAAQQAF/ADABmAAQAwIAYBSppU96plPRQgfRQvIoWpQv0UL2KF8lC1KFqULYoWxQtShbFC2KFqULUoWpQtihbFC1KFqULYoXU",
    "oXkULxKFiULIoWRQsihYlCyKFkULIoWJQsShZFCyKF+6lC6lC7FCyKFiULEoXSiR6ilJwokcRSk4USOUUpORRI+FCBxKJH+YoKyTKaz2bcb7gBO",
    "cb8BACD//////////////+AAEIAD8OgMFfqqjAAAAAAAAAaBGAAAABzTEZGTTJoBkNGQyZAAADI0yNAwhkCaqqfqqZ/qqYAGh6QAAAAAAAAAAAJ",
    "VIAAGgAAAAAAAAAAABwN0qVSaIFacCtwgrcwK3UCtCCswK1WYFZgViBWUFZgVmBWUFZQVmBWYFZgVlBWYFZgggH1BqvBgDEGQMwaAiGVsCwG4OA",
    "cg6BFACtOBWnArECsQKxArECsIKxArECsQKwgrCCsQKxArECsIKxArECsQKwgrS1K0SEaiolW7rEhGKolWqrChGKolWrrChGa0lCNFf+qVSYUI0",
    "VpKEaK1K3lb2t9W/rgVwZERCIhFIxHJBJJRLJhNJxPKBRKRTKhVKxXLBZLRbLgkXS8XzAYT+P8xCR8ofqMh+IRlMxnNBpNRrNhtNxvOBxORzOh1O",
    "x3PB5PR7Pg7+i7kinChIT02XrQ=",
  ].join(""),
  "base64",
);

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What comes out, and what is thrown after it. */
async function decompressAll(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  pieceBytes = 1000,
): Promise<{ text: Buffer; error: unknown }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of decompress(source instanceof Uint8Array ? pieces(source, pieceBytes) : source, "a.gz"))
      chunks.push(chunk);
  } catch (error) {
    return { text: Buffer.concat(chunks), error };
  }
  return { text: Buffer.concat(chunks), error: undefined };
}

const FORMATS = [
  ["gzip", gzipSync(TEXT)],
  ["zstd", zstdCompressSync(TEXT, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
  ["bzip2", BZIP2_OF_IT],
] as const;

test.each([["nothing", TEXT] as const, ...FORMATS])(
  "what %s compressed is told by its bytes, and comes out whole",
  async (_, bytes) => {
    for (const pieceBytes of [1, 3, 100, bytes.length]) {
      if (bytes.length / pieceBytes > 5000) continue;
      const { text, error } = await decompressAll(bytes, pieceBytes);
      expect(error).toBeUndefined();
      expect(text.equals(TEXT)).toBe(true);
    }
  },
);

test.each(FORMATS)("members of %s one after the other are one text", async (_, bytes) => {
  const { text, error } = await decompressAll(Buffer.concat([bytes, bytes, bytes]), 150);
  expect(error).toBeUndefined();
  expect(text.equals(Buffer.concat([TEXT, TEXT, TEXT]))).toBe(true);
});

test.each(FORMATS)("%s cut anywhere gives what it can, and says that it was cut", async (_, bytes) => {
  let most = 0;
  const step = Math.max(1, Math.floor(bytes.length / 100));
  for (let cut = 4; cut < bytes.length; cut += step) {
    const { text, error } = await decompressAll(bytes.subarray(0, cut), 64);
    expect([cut, (error as TrajectoryError | undefined)?.code]).toEqual([cut, "truncated"]);
    expect(TEXT.subarray(0, text.length).equals(text)).toBe(true);
    most = Math.max(most, text.length);
  }
  expect(most).toBeGreaterThan(TEXT.length / 2);
});

test.each(FORMATS)("%s with a byte changed gives nothing that is wrong, or is refused", async (_, bytes) => {
  const random = seededRandom(SEED);
  let refused = 0;
  for (let round = 0; round < 100; round++) {
    const damaged = Buffer.from(bytes);
    const at = 4 + (random() % (bytes.length - 4));
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (random() % 8));
    const { text, error } = await decompressAll(damaged, 200);
    if (error !== undefined) {
      expect(error).toBeInstanceOf(TrajectoryError);
      expect(["truncated", "bad-compression"]).toContain((error as TrajectoryError).code);
      refused++;
    } else expect(text.equals(TEXT)).toBe(true);
  }
  expect(refused).toBeGreaterThan(70);
});

test("every bit of the digest of all blocks of bzip2 counts", async () => {
  for (let bit = 0; bit < 24; bit++) {
    const damaged = Buffer.from(BZIP2_OF_IT);
    const at = damaged.length - 4 + (bit >> 3);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit & 7));
    const { text, error } = await decompressAll(damaged);
    expect(text.equals(TEXT)).toBe(true);
    expect(error).toMatchObject({ code: "bad-compression" });
  }
});

test("no more is read ahead of a slow reader than a few pieces", async () => {
  const random = seededRandom(SEED);
  const packed = gzipSync(Uint8Array.from({ length: 8 << 20 }, random));
  let taken = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces(packed, 1 << 16)) {
      taken += piece.length;
      yield piece;
    }
  }
  for await (const _ of decompress(counted(), "a.gz")) {
    // Wait for as long as anything is read.
    for (let before = -1; before !== taken; await sleep(50)) before = taken;
    break;
  }
  expect(taken).toBeLessThan(packed.length / 2);
});

test("frames of zstd with and without a checksum, and frames to skip, are told apart in pieces of any size", async () => {
  const skipped = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]);
  const [, [, checked]] = FORMATS;
  const bytes = Buffer.concat([checked, skipped, zstdCompressSync("one more"), skipped, zstdCompressSync("")]);
  for (const pieceBytes of [1, 7, bytes.length]) {
    const { text, error } = await decompressAll(bytes, pieceBytes);
    expect(error).toBeUndefined();
    expect(text.equals(Buffer.concat([TEXT, Buffer.from("one more")]))).toBe(true);
  }
  const { text, error } = await decompressAll(Buffer.concat([checked, TEXT]));
  expect(text.equals(TEXT)).toBe(true);
  expect(error).toMatchObject({ code: "bad-compression" });
});

test("what stands behind the last stream of bzip2 is left alone", async () => {
  for (const tail of ["\0", "signature"]) {
    const { text, error } = await decompressAll(Buffer.concat([BZIP2_OF_IT, Buffer.from(tail)]));
    expect(error).toBeUndefined();
    expect(text.equals(TEXT)).toBe(true);
  }
});

test("what is wrong with the source is told as it is, and whoever stops early closes it", async () => {
  const failure = new RangeError("the source broke");
  let isClosed = false;
  async function* broken(): AsyncGenerator<Uint8Array> {
    try {
      yield gzipSync(TEXT).subarray(0, 100);
      throw failure;
    } finally {
      isClosed = true;
    }
  }
  expect((await decompressAll(broken())).error).toBe(failure);
  expect(isClosed).toBe(true);
  isClosed = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      while (true) yield gzipSync(TEXT);
    } finally {
      isClosed = true;
    }
  }
  for await (const _ of decompress(endless(), "a.gz")) break;
  expect(isClosed).toBe(true);
});
