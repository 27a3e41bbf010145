import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from "node:zlib";
import { Bunzip } from "./bunzip.ts";
import { TrajectoryError } from "./trajectory-error.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/** Output of one step of a decompressor. */
const CHUNK_BYTES = 1 << 18;
/** Chunks that may wait for whoever reads before more is fed in. */
const QUEUE_LENGTH = 8;
/** Compressed bytes fed at a time: at deflate's highest ratio (1,032) what comes of them still has room. */
const PIECE_BYTES = 1 << 16;
const MAGIC_BYTES = 4;

/**
 * Plain bytes of what may be compressed by gzip, bzip2 or zstd (several members one after the other included), told by
 * its first bytes. What can be decompressed is given out, whatever follows it.
 *
 * @param file  its name in messages
 * @throws {TrajectoryError} `truncated` where compressed bytes end too early, `bad-compression` where they are damaged
 */
export async function* decompress(source: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  const { head, rest } = await readHead(source);
  if (startsWith(head, [0x1f, 0x8b])) yield* through(createGunzip({ chunkSize: CHUNK_BYTES }), rest, file, "gzip");
  else if (startsWith(head, [0x28, 0xb5, 0x2f, 0xfd])) yield* unzstd(rest, file);
  else if (startsWith(head, [0x42, 0x5a, 0x68])) yield* bunzip(rest, file);
  else yield* rest;
}

/** The first bytes, and all of it, they included. */
async function readHead(
  source: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; rest: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let isDone = false;
  while (head.length < MAGIC_BYTES && !isDone) {
    const next = await iterator.next();
    if (next.done) isDone = true;
    else head = Buffer.concat([head, next.value]);
  }
  return { head, rest: resume(head, iterator, isDone) };
}

async function* resume(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
  isDone: boolean,
): AsyncGenerator<Uint8Array> {
  let hasEnded = isDone;
  try {
    if (head.length > 0) yield head;
    while (!hasEnded) {
      const next = await iterator.next();
      if (next.done) hasEnded = true;
      else yield next.value;
    }
  } finally {
    if (!hasEnded) await iterator.return?.();
  }
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte);
}

async function* unzstd(source: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames(source, file);
  try {
    while (await frames.hasMore()) {
      yield* through(createZstdDecompress({ chunkSize: CHUNK_BYTES }), frames.frame(), file, "zstd");
    }
  } finally {
    await frames.close();
  }
}

async function* bunzip(source: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  const decoder = new Bunzip(file);
  for await (const bytes of source) yield* decoder.push(bytes);
  yield* decoder.finish();
}

/**
 * Through one of Node's decompressors. Neither pipeline nor iteration: they drop what is decompressed and not yet read
 * when damage is met behind it. For the same reason it is never paused: less is fed to it.
 */
async function* through(
  codec: Gunzip | ZstdDecompress,
  source: AsyncIterable<Uint8Array>,
  file: string,
  format: string,
): AsyncGenerator<Uint8Array> {
  const queue: Uint8Array[] = [];
  let isOver = false;
  let failure: unknown;
  let wakeReader = () => {};
  let wakeFeeder = () => {};
  codec.on("data", (chunk: Uint8Array) => {
    queue.push(chunk);
    wakeReader();
  });
  codec.on("close", () => {
    isOver = true;
    wakeReader();
    wakeFeeder();
  });
  codec.on("error", (error) => {
    failure ??= aboutCompressed(error, file, format);
  });
  const room = () =>
    new Promise<void>((resolve) => {
      wakeFeeder = resolve;
      if (isOver || queue.length < QUEUE_LENGTH) resolve();
    });
  const feeding = feed(codec, source, room).catch((error: unknown) => {
    failure ??= error;
    codec.destroy();
  });
  try {
    while (true) {
      const chunk = queue.shift();
      if (chunk !== undefined) {
        wakeFeeder();
        yield chunk;
      } else if (isOver) break;
      else {
        await new Promise<void>((resolve) => {
          wakeReader = resolve;
        });
      }
    }
  } finally {
    codec.destroy();
    await feeding;
  }
  if (failure !== undefined) throw failure;
}

/** Every piece is taken before the end is told: a decompressor that misses the end gives out nothing of the last one. */
async function feed(
  codec: Gunzip | ZstdDecompress,
  source: AsyncIterable<Uint8Array>,
  room: () => Promise<void>,
): Promise<void> {
  for await (const bytes of source) {
    for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
      await room();
      await write(codec, bytes.subarray(offset, offset + PIECE_BYTES));
      if (codec.destroyed) return;
    }
  }
  codec.end();
}

/** Resolves once the piece is taken, or the decompressor has failed. */
function write(codec: Gunzip | ZstdDecompress, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    codec.once("close", resolve);
    codec.write(bytes, () => {
      codec.off("close", resolve);
      resolve();
    });
  });
}

function aboutCompressed(error: NodeJS.ErrnoException, file: string, format: string): TrajectoryError {
  if (error.code === "Z_BUF_ERROR") {
    const remedy = "copy the file again, or keep the frames before the cut";
    return new TrajectoryError("truncated", `its ${format} data ends too early`, remedy, { file }, { cause: error });
  }
  const problem = `its ${format} data is damaged (${error.message})`;
  const remedy = "copy the file again, or keep the frames before the damage";
  return new TrajectoryError("bad-compression", problem, remedy, { file }, { cause: error });
}
