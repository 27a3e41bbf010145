import { RunnerError } from "./runner-error.ts";

/** Bytes that a program takes: in flash (code and constants, and the start values of data), and in memory. */
export interface ImageSizes {
  readonly codeBytes: number;
  readonly constantBytes: number;
  readonly dataBytes: number;
  readonly zeroedBytes: number;
}

const TYPE_NOBITS = 8;
const FLAG_WRITE = 1;
const FLAG_ALLOCATED = 2;
const FLAG_CODE = 4;

/**
 * Sizes of a little-endian ELF file, 32 or 64 bit, by its section headers.
 *
 * @returns null for any other file
 * @throws {RunnerError} `wrong-firmware` when its section headers are not all there, as in a file that was cut off
 * @see Tool Interface Standard, Executable and Linking Format 1.2, "Sections"
 */
export function readElfSizes(file: Uint8Array): ImageSizes | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isElf = file.length > 64 && view.getUint32(0) === 0x7f454c46 && file[5] === 1;
  if (!isElf) return null;
  const isWide = file[4] === 2;
  const word = (at: number) => (isWide ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
  const headers = word(isWide ? 40 : 32);
  const headerBytes = view.getUint16(isWide ? 58 : 46, true);
  const count = view.getUint16(isWide ? 60 : 48, true);
  const headerBytesLeast = isWide ? 64 : 40;
  const end = headers + count * headerBytes;
  if (end > file.length || (count > 0 && headerBytes < headerBytesLeast)) {
    throw new RunnerError("wrong-firmware", {
      problem: "section headers cut off",
      end,
      headerBytes,
      bytes: file.length,
    });
  }
  const sizes = { codeBytes: 0, constantBytes: 0, dataBytes: 0, zeroedBytes: 0 };
  for (let i = 0; i < count; i++) {
    const header = headers + i * headerBytes;
    const type = view.getUint32(header + 4, true);
    const flags = word(header + 8);
    const bytes = word(header + (isWide ? 32 : 20));
    if ((flags & FLAG_ALLOCATED) === 0) continue;
    if (type === TYPE_NOBITS) sizes.zeroedBytes += bytes;
    else if ((flags & FLAG_WRITE) !== 0) sizes.dataBytes += bytes;
    else if ((flags & FLAG_CODE) !== 0) sizes.codeBytes += bytes;
    else sizes.constantBytes += bytes;
  }
  return sizes;
}
