import { crc32 } from "node:zlib";

/** Slot of what came with the device and is in neither slot. */
export const BUILT_IN_SLOT = 255;
/** Boots of a module on trial that end without a confirmation, before the device goes back by itself. */
export const TRIAL_BOOTS = 3;
/** Bytes of a record. */
export const BOOT_RECORD_BYTES = 40;

const FORMAT = 0x314b_424c;
const NO_TRIAL = 254;
const CRC_AT = 36;

/** Which module a device runs, and how the last update ended. It outlives the power: two copies, the newer sound one counts. */
export interface BootRecord {
  /** Grows by one with every write. */
  readonly sequence: number;
  /** 0, 1, or 255 for the module that the device came with: what runs when nothing is on trial. */
  readonly keptSlot: number;
  /** What is on trial, if anything is. */
  readonly triedSlot: number | undefined;
  /** Boots that it has left. */
  readonly bootsLeft: number;
  /** Of the last switch; 0: none. */
  readonly sid: number;
  /** Highest version that was ever confirmed. */
  readonly confirmedVersion: number;
  readonly verdict: number;
  readonly detail: number;
  readonly traps: number;
}

/** What a device runs that was never updated. */
export function firstRecord(confirmedVersion: number): BootRecord {
  return {
    sequence: 0,
    keptSlot: BUILT_IN_SLOT,
    triedSlot: undefined,
    bootsLeft: 0,
    sid: 0,
    confirmedVersion,
    verdict: 0,
    detail: 0,
    traps: 0,
  };
}

/** A record as {@link BOOT_RECORD_BYTES} bytes. */
export function encodeBootRecord(record: BootRecord): Uint8Array {
  const bytes = new Uint8Array(BOOT_RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, FORMAT, true);
  view.setUint32(4, record.sequence, true);
  view.setUint8(8, record.keptSlot);
  view.setUint8(9, record.triedSlot ?? NO_TRIAL);
  view.setUint8(10, record.bootsLeft);
  view.setUint8(11, record.verdict);
  view.setUint32(12, record.sid, true);
  view.setUint32(16, record.confirmedVersion, true);
  view.setUint32(20, record.detail, true);
  view.setUint32(24, record.traps, true);
  view.setUint32(CRC_AT, crc32(bytes.subarray(0, CRC_AT)), true);
  return bytes;
}

/** Mirrors {@link encodeBootRecord}. @returns undefined for bytes that a cut has torn, or that were never written */
export function decodeBootRecord(bytes: Uint8Array): BootRecord | undefined {
  if (bytes.length !== BOOT_RECORD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== FORMAT || view.getUint32(CRC_AT, true) !== crc32(bytes.subarray(0, CRC_AT))) {
    return undefined;
  }
  const tried = view.getUint8(9);
  return {
    sequence: view.getUint32(4, true),
    keptSlot: view.getUint8(8),
    triedSlot: tried === NO_TRIAL ? undefined : tried,
    bootsLeft: view.getUint8(10),
    verdict: view.getUint8(11),
    sid: view.getUint32(12, true),
    confirmedVersion: view.getUint32(16, true),
    detail: view.getUint32(20, true),
    traps: view.getUint32(24, true),
  };
}
