import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { crc32, deflateSync } from "node:zlib";
import { pushVarint } from "./byte-cursor.ts";
import {
  BLOCK_HEAD_BYTES,
  BLOCK_TAG,
  CONTAINER_MAGIC,
  CONTAINER_VERSION,
  type ContainerBlock,
  type ContainerHeader,
  CRC_BYTES,
  PREAMBLE_BYTES,
  TRAILER_BYTES,
  TRAILER_TAG,
} from "./container-format.ts";

/** Writes a container front to back; memory is one block. */
export class ContainerWriter {
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #blocks = 0;
  #samples = 0;
  #bytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * Write the header.
   *
   * @param file  open for writing at its start; stays the caller's to sync and close
   */
  static async open(file: FileHandle, header: ContainerHeader): Promise<ContainerWriter> {
    const writer = new ContainerWriter(file);
    const json = deflateSync(JSON.stringify(header), { level: 9 });
    const bytes = Buffer.alloc(PREAMBLE_BYTES + json.length + CRC_BYTES);
    bytes.set(CONTAINER_MAGIC);
    bytes[CONTAINER_MAGIC.length] = CONTAINER_VERSION;
    bytes.writeUInt32LE(json.length, CONTAINER_MAGIC.length + 1);
    bytes.set(json, PREAMBLE_BYTES);
    await writer.#writeSealed(bytes);
    return writer;
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Blocks written so far. */
  get blocks(): number {
    return this.#blocks;
  }

  /** Append one block. */
  async writeBlock(block: ContainerBlock): Promise<void> {
    const parts = [encodeVarints(block.samples)];
    for (const frame of block.frames) {
      const head = 4 * frame.group + 2 * Number(frame.hasLines) + Number(frame.hasEvents);
      parts.push(encodeVarints(head, frame.samples, frame.payload.length));
      parts.push(frame.payload);
    }
    const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
    const bytes = Buffer.alloc(BLOCK_HEAD_BYTES + bodyBytes + CRC_BYTES);
    bytes[0] = BLOCK_TAG;
    bytes.writeUInt32LE(bodyBytes, 1);
    let offset = BLOCK_HEAD_BYTES;
    for (const part of parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    await this.#writeSealed(bytes);
    this.#blocks += 1;
    this.#samples += block.samples;
  }

  /** Write the trailer; the container is complete after it. */
  async end(): Promise<void> {
    const bytes = Buffer.alloc(TRAILER_BYTES);
    bytes[0] = TRAILER_TAG;
    bytes.writeBigUInt64LE(BigInt(this.#blocks), 1);
    bytes.writeBigUInt64LE(BigInt(this.#samples), 9);
    bytes.set(this.#hash.copy().digest(), 17);
    await this.#writeSealed(bytes);
  }

  /** Fill in the CRC that `bytes` ends with, and write all of it. */
  async #writeSealed(bytes: Buffer): Promise<void> {
    const end = bytes.length - CRC_BYTES;
    bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    for (let written = 0; written < bytes.length; ) {
      written += (await this.#file.write(bytes, written)).bytesWritten;
    }
  }
}

function encodeVarints(...values: number[]): Uint8Array {
  const out: number[] = [];
  for (const value of values) pushVarint(out, value);
  return Uint8Array.from(out);
}
