import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { crc32, inflateSync } from "node:zlib";
import { ByteCursor } from "./byte-cursor.ts";
import {
  BLOCK_HEAD_BYTES,
  BLOCK_TAG,
  CONTAINER_MAGIC,
  CONTAINER_VERSION,
  type ContainerBlock,
  type ContainerFrame,
  type ContainerHeader,
  CRC_BYTES,
  checkHeader,
  DIGEST_BYTES,
  MAX_BLOCK_BYTES,
  MAX_BLOCK_SAMPLES,
  MAX_HEADER_BYTES,
  PREAMBLE_BYTES,
  TRAILER_BYTES,
  TRAILER_TAG,
} from "./container-format.ts";
import { TelemetryError } from "./telemetry-error.ts";

/** A block and where it stands. */
export interface PlacedBlock extends ContainerBlock {
  /** Number of the block, from 0, and of its first sample. */
  readonly block: number;
  readonly offset: number;
  readonly firstSample: number;
}

/** Reads a container front to back; memory is one block. */
export class ContainerReader {
  readonly header: ContainerHeader;
  readonly #file: FileHandle;
  readonly #name: string;
  readonly #hash: Hash;
  #offset: number;

  private constructor(file: FileHandle, name: string, header: ContainerHeader, start: Buffer) {
    this.#file = file;
    this.#name = name;
    this.header = header;
    this.#hash = createHash("sha256").update(start);
    this.#offset = start.length;
  }

  /**
   * Read and check the header.
   *
   * @param file  open for reading; stays the caller's to close
   * @param name  what errors call the file
   * @throws {TelemetryError} `not-a-container`, `unknown-version`, `bad-header`
   */
  static async open(file: FileHandle, name: string): Promise<ContainerReader> {
    const preamble = await readAt(file, 0, PREAMBLE_BYTES);
    if (preamble.length <= CONTAINER_MAGIC.length) {
      throw new TelemetryError("not-a-container", { file: name, have: preamble.length });
    }
    if (!preamble.subarray(0, CONTAINER_MAGIC.length).equals(CONTAINER_MAGIC)) {
      throw new TelemetryError("not-a-container", { file: name });
    }
    if (preamble.length < PREAMBLE_BYTES) throw badHeader(name, "the file ends inside it");
    const version = preamble[CONTAINER_MAGIC.length] ?? -1;
    if (version !== CONTAINER_VERSION) {
      throw new TelemetryError("unknown-version", { file: name, have: version, need: CONTAINER_VERSION });
    }
    const length = preamble.readUInt32LE(CONTAINER_MAGIC.length + 1);
    if (length > MAX_HEADER_BYTES) throw badHeader(name, `${length} bytes is over its limit of ${MAX_HEADER_BYTES}`);
    const start = await readAt(file, 0, PREAMBLE_BYTES + length + CRC_BYTES);
    if (start.length < PREAMBLE_BYTES + length + CRC_BYTES) throw badHeader(name, "the file ends inside it");
    if (!isSealed(start)) throw badHeader(name, "its checksum does not match");
    const header = checkHeader(parseJson(start.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + length)));
    if (typeof header === "string") throw badHeader(name, header);
    return new ContainerReader(file, name, header, start);
  }

  /**
   * The blocks in order, each checked before it is given; after the last one the trailer is checked.
   *
   * @throws {TelemetryError} `truncated`, `bad-checksum`, `bad-block`, `bad-digest`, `trailing-bytes`, with the block,
   *   its first byte and the last good sample (−1: none)
   */
  async *blocks(): AsyncGenerator<PlacedBlock, void, void> {
    let samples = 0;
    for (let block = 0; ; block++) {
      const place = { file: this.#name, block, offset: this.#offset, lastSample: samples - 1 };
      const head = await readAt(this.#file, this.#offset, BLOCK_HEAD_BYTES);
      const tag = head[0];
      if (tag === TRAILER_TAG) return this.#checkTrailer(place, block, samples);
      if (head.length < BLOCK_HEAD_BYTES) throw cutShort(place, BLOCK_HEAD_BYTES, head.length);
      if (tag !== BLOCK_TAG) throw badBlock(place, `0x${tag?.toString(16)} is no kind of block`);
      const bodyBytes = head.readUInt32LE(1);
      if (bodyBytes > MAX_BLOCK_BYTES)
        throw badBlock(place, `${bodyBytes} bytes is over its limit of ${MAX_BLOCK_BYTES}`);
      const bytes = await this.#need(place, this.#offset, BLOCK_HEAD_BYTES + bodyBytes + CRC_BYTES);
      checkSeal(place, bytes);
      const parsed = parseBody(bytes.subarray(BLOCK_HEAD_BYTES, bytes.length - CRC_BYTES), this.header.groups.length);
      if (typeof parsed === "string") throw badBlock(place, parsed);
      this.#hash.update(bytes);
      this.#offset += bytes.length;
      yield { ...parsed, block, offset: place.offset, firstSample: samples };
      samples += parsed.samples;
    }
  }

  /** Bytes read and checked so far: what progress is measured by. */
  get offset(): number {
    return this.#offset;
  }

  async #checkTrailer(place: Place, blocks: number, samples: number): Promise<void> {
    const bytes = await readAt(this.#file, this.#offset, TRAILER_BYTES);
    if (bytes.length < TRAILER_BYTES) throw cutShort({ ...place, part: "end" }, TRAILER_BYTES, bytes.length);
    checkSeal(place, bytes);
    const saidBlocks = Number(bytes.readBigUInt64LE(1));
    const saidSamples = Number(bytes.readBigUInt64LE(9));
    const saidDigest = bytes.subarray(17, 17 + DIGEST_BYTES).toString("hex");
    const digest = this.#hash.copy().digest("hex");
    const differing = [
      { what: "number of blocks", have: blocks, need: saidBlocks },
      { what: "number of samples", have: samples, need: saidSamples },
      { what: "digest", have: digest, need: saidDigest },
    ].find(({ have, need }) => have !== need);
    if (differing !== undefined) throw new TelemetryError("bad-digest", { ...place, ...differing });
    const after = await readAt(this.#file, this.#offset + TRAILER_BYTES, 1);
    if (after.length > 0) {
      throw new TelemetryError("trailing-bytes", { ...place, offset: this.#offset + TRAILER_BYTES });
    }
  }

  async #need(place: Place, offset: number, length: number): Promise<Buffer> {
    const bytes = await readAt(this.#file, offset, length);
    if (bytes.length < length) throw cutShort(place, length, bytes.length);
    return bytes;
  }
}

type Place = Readonly<{ file: string; block: number; offset: number; lastSample: number }>;

/** @param place  with `part: "end"` for what follows the last block */
function cutShort(place: Place & { readonly part?: "end" }, need: number, have: number): TelemetryError {
  return new TelemetryError("truncated", { ...place, need, have });
}

function parseBody(body: Uint8Array, groups: number): ContainerBlock | string {
  const cursor = new ByteCursor(body);
  const samples = cursor.varint();
  if (samples === undefined || samples < 1 || samples > MAX_BLOCK_SAMPLES) return `${samples} samples in one block`;
  const frames: ContainerFrame[] = [];
  const perGroup = new Array<number>(groups).fill(0);
  while (cursor.remaining > 0) {
    const head = cursor.varint() ?? -1;
    const group = Math.floor(head / 4);
    const soFar = perGroup[group];
    if (head % 4 === 3) return "a frame with events and lines";
    if (soFar === undefined) return `a frame of group ${group}, and there are ${groups}`;
    const frameSamples = cursor.varint();
    const payload = cursor.take(cursor.varint() ?? Number.POSITIVE_INFINITY);
    if (frameSamples === undefined || frameSamples < 1 || payload === undefined) return "a frame reaches past its end";
    perGroup[group] = soFar + frameSamples;
    frames.push({ group, hasEvents: head % 2 === 1, hasLines: (head & 2) !== 0, samples: frameSamples, payload });
  }
  const short = perGroup.findIndex((count) => count !== samples);
  return short === -1 ? { samples, frames } : `group ${short} has ${perGroup[short]} of ${samples} samples`;
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function isSealed(bytes: Buffer): boolean {
  const end = bytes.length - CRC_BYTES;
  return bytes.readUInt32LE(end) === crc32(bytes.subarray(0, end));
}

function checkSeal(place: Place, bytes: Buffer): void {
  if (isSealed(bytes)) return;
  const end = bytes.length - CRC_BYTES;
  const hex = (checksum: number): string => checksum.toString(16).padStart(8, "0");
  const facts = { have: hex(crc32(bytes.subarray(0, end))), need: hex(bytes.readUInt32LE(end)) };
  throw new TelemetryError("bad-checksum", { ...place, ...facts });
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(inflateSync(bytes, { maxOutputLength: MAX_HEADER_BYTES }).toString("utf8"));
  } catch {
    // The CRC held, so the writer was no writer of ours; the schema check names the problem.
    return undefined;
  }
}

function badHeader(file: string, problem: string): TelemetryError {
  return new TelemetryError("bad-header", { file, problem });
}

function badBlock(place: Place, problem: string): TelemetryError {
  return new TelemetryError("bad-block", { ...place, problem });
}
