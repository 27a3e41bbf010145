#!/usr/bin/env node
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { crc32 } from "node:zlib";

/**
 * The flash of an updatable device as a factory leaves it: a boot record, and a body in slot 0. What lies where:
 * firmware-examples/board-support, boot-record.h and boards/mps2-slots.c, boards/virt-slots.c.
 *
 *     node make-flash.js BOARD BODY VERSION OUT        VERSION as 1.2.3
 */

/**
 * @typedef {object} FlashLayout
 * @property {number} fileBytes    what QEMU wants behind the board's memory
 * @property {number} chipBytes    of it, the chip: erased where nothing is
 * @property {number} recordsAt
 * @property {number} slotsAt
 * @property {number} slotBytes
 * @property {number} bodyOffset
 */

/** @type {Readonly<Record<string, FlashLayout>>} */
export const FLASH_LAYOUTS = {
  "mps2-an386": {
    fileBytes: 16 * 2 ** 20,
    chipBytes: 0x60000,
    recordsAt: 0,
    slotsAt: 0x20000,
    slotBytes: 0x20000,
    bodyOffset: 512,
  },
  "riscv32-virt": {
    fileBytes: 32 * 2 ** 20,
    chipBytes: 32 * 2 ** 20,
    recordsAt: 0x100000,
    slotsAt: 0x180000,
    slotBytes: 0x80000,
    bodyOffset: 512,
  },
};

const MAGIC = 0x3042534c;
const RECORD_BYTES = 128;

/**
 * @param {string} board  of FLASH_LAYOUTS
 * @param {Uint8Array} body
 * @param {number} version  major 2^24 + minor 2^16 + patch
 * @returns {Buffer}
 */
export function factoryFlash(board, body, version) {
  const layout = FLASH_LAYOUTS[board];
  if (layout === undefined) throw new RangeError(`no board "${board}": ${Object.keys(FLASH_LAYOUTS).join(", ")}`);
  const room = layout.slotBytes - layout.bodyOffset;
  if (body.length > room) throw new RangeError(`a body of ${body.length} bytes: a slot has room for ${room}`);
  const flash = Buffer.alloc(layout.fileBytes);
  flash.fill(0xff, 0, layout.chipBytes);
  flash.set(body, layout.slotsAt + layout.bodyOffset);
  const record = Buffer.alloc(RECORD_BYTES);
  record.writeUInt32LE(MAGIC, 0);
  record.writeUInt32LE(1, 4);
  record.writeUInt32LE(version, 12);
  record.writeUInt32LE(body.length, 24);
  record.writeUInt32LE(crc32(body), 28);
  record.writeUInt32LE(version, 32);
  record.writeUInt32LE(crc32(record.subarray(0, RECORD_BYTES - 4)), RECORD_BYTES - 4);
  flash.set(record, layout.recordsAt);
  return flash;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [board = "", body = "", text = "", out = ""] = process.argv.slice(2);
  const [major = Number.NaN, minor = 0, patch = 0] = text.split(".").map(Number);
  const version = major * 2 ** 24 + minor * 2 ** 16 + patch;
  if (out === "" || !Number.isInteger(version)) throw new RangeError("usage: make-flash.js BOARD BODY VERSION OUT");
  writeFileSync(out, factoryFlash(board, readFileSync(body), version));
}
