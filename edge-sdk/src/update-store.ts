import { closeSync, constants, fdatasyncSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { BOOT_RECORD_BYTES } from "./boot-record.ts";
import { UpdateError } from "./update-error.ts";

/** Where a device keeps its two slots and its two boot records. What is erased reads 0xff. */
export interface UpdateStore {
  /** Bytes of a slot: whole sectors. */
  readonly slotBytes: number;
  /** A power of two, 512 at least. */
  readonly sectorBytes: number;
  /** Bytes that are programmed together, a power of two, 1 … 32. */
  readonly writeUnit: number;
  /** Make a whole sector read 0xff. */
  erase(slot: number, address: number): void;
  /** Write to erased bytes. */
  program(slot: number, address: number, bytes: Uint8Array): void;
  read(slot: number, address: number, length: number): Uint8Array;
  /** The copy of the boot record, 0 or 1, as it is; of any length when it was never written. */
  readRecord(copy: number): Uint8Array;
  /** Write a copy; on the medium when this returns. The other one is left alone. */
  writeRecord(copy: number, bytes: Uint8Array): void;
  close(): void;
}

/** Room for a module of 60 KiB; the longest that a device has is shorter than 32. */
const SLOT_BYTES = 65_536;
const SECTOR_BYTES = 4096;
const WRITE_UNIT = 1;
const SLOTS = 2;
const ERASED = 0xff;

/** A store that is gone with the process. */
export function memoryUpdateStore(): UpdateStore {
  const slots = Array.from({ length: SLOTS }, () => new Uint8Array(SLOT_BYTES).fill(ERASED));
  const records: Uint8Array[] = [new Uint8Array(), new Uint8Array()];
  const slotOf = (slot: number) => slots[slot] ?? new Uint8Array();
  return {
    slotBytes: SLOT_BYTES,
    sectorBytes: SECTOR_BYTES,
    writeUnit: WRITE_UNIT,
    erase: (slot, address) => void slotOf(slot).fill(ERASED, address, address + SECTOR_BYTES),
    program: (slot, address, bytes) => slotOf(slot).set(bytes, address),
    read: (slot, address, length) => slotOf(slot).slice(address, address + length),
    readRecord: (copy) => records[copy] ?? new Uint8Array(),
    writeRecord: (copy, bytes) => {
      records[copy] = bytes.slice();
    },
    close: () => {},
  };
}

/**
 * A store in a folder: `slot-0.bin`, `slot-1.bin`, `boot-0.bin`, `boot-1.bin`. Every write is on the medium before the
 * next, and a record torn by a power cut leaves the other.
 *
 * @param folder  made when there is none
 * @throws {UpdateError} `store`
 */
export function fileUpdateStore(folder: string): UpdateStore {
  const attempt = <T>(act: () => T): T => {
    try {
      return act();
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : String(cause);
      throw new UpdateError("store", { folder, problem }, { cause });
    }
  };
  const open = (name: string) => openSync(join(folder, name), constants.O_RDWR | constants.O_CREAT, 0o600);
  const files = attempt(() => {
    mkdirSync(folder, { recursive: true });
    return ["slot-0.bin", "slot-1.bin", "boot-0.bin", "boot-1.bin"].map(open);
  });
  const fileOf = (index: number) => files[index] ?? -1;
  const write = (file: number, bytes: Uint8Array, from: number) =>
    attempt(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, from + at);
      fdatasyncSync(file);
    });
  const read = (file: number, from: number, length: number) =>
    attempt(() => {
      const bytes = new Uint8Array(length).fill(ERASED); // what the file does not reach was never written
      for (let at = 0; at < length; ) {
        const count = readSync(file, bytes, at, length - at, from + at);
        if (count === 0) break;
        at += count;
      }
      return bytes;
    });
  return {
    slotBytes: SLOT_BYTES,
    sectorBytes: SECTOR_BYTES,
    writeUnit: WRITE_UNIT,
    erase: (slot, address) => write(fileOf(slot), new Uint8Array(SECTOR_BYTES).fill(ERASED), address),
    program: (slot, address, bytes) => write(fileOf(slot), bytes, address),
    read: (slot, address, length) => read(fileOf(slot), address, length),
    readRecord: (copy) => {
      const file = fileOf(SLOTS + copy);
      return read(
        file,
        0,
        Math.min(
          BOOT_RECORD_BYTES,
          attempt(() => fstatSync(file).size),
        ),
      );
    },
    writeRecord: (copy, bytes) => write(fileOf(SLOTS + copy), bytes, 0),
    close: () => attempt(() => files.forEach((file) => void closeSync(file))),
  };
}
