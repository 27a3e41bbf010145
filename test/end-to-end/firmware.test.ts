import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { CloudNode, openHistory, SILENT_LOGGER, systemClock } from "@lockstep/cloud-node";
import { SerialLine, systemRandom } from "@lockstep/edge-sdk";
import { type FirmwareBoard, rotorTwinSignal, seededRandom } from "@lockstep/sim";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { buildExample } from "./firmware-builds.ts";
import { FirmwareLine } from "./firmware-line.ts";

const CHANNELS = 6;
/** The rotor's promise: 32 units. */
const EPS = 32 * 2 ** -15;
const FRAMES_OF_A_LIFE = [7, 16, 12, 20];
const ACKS = { everyFrames: 4, ageMs: 200 };
/** Of virt's second flash chip; what a factory leaves in it does not matter. */
const FLASH_BYTES = 32 * 2 ** 20;
const ARRIVAL_LIMIT_MS = 20_000;
/** Every third frame or so is spoilt. */
const NOISE_EVERY_BYTES = 1_000;
const clock = systemClock();

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-firmware-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/**
 * @param hasFlash  whether what was made before a kill is there after it
 * @param rateHz    samples per second that QEMU keeps up with on a loaded machine
 */
function rotorSuite(board: FirmwareBoard, hasFlash: boolean, rateHz: number): void {
  test("no sample that was promised is lost, with garbage on the line and QEMU killed again and again", async () => {
    const firmware = await buildExample(board, "rotor-twin", ["main.c", "rotor.c"], "rotor", [`-DRATE_HZ=${rateHz}`]);
    const flash = join(folder, "flash.bin");
    writeFileSync(flash, "");
    truncateSync(flash, FLASH_BYTES);
    const drive = hasFlash ? ["-drive", `if=pflash,unit=1,format=raw,file=${flash}`] : [];
    const line = new FirmwareLine(firmware, drive, seededRandom(7), NOISE_EVERY_BYTES);
    const storeFile = join(folder, "node.db");
    const node = await CloudNode.open({ storeFile, broker: null, acks: ACKS, logger: SILENT_LOGGER, clock });
    const end = new SerialLine({ openPort: () => line.open(), clock, random: systemRandom() });
    try {
      const detach = node.attachLine("qemu", end);
      for (const frames of FRAMES_OF_A_LIFE) {
        await framesSent(line, frames);
        line.kill();
      }
      // The last life is there so that what the others left can arrive.
      await framesSent(line, 8);
      // What never arrives is told below, by what is missing.
      if (hasFlash) await Promise.race([line.until(() => isConfirmed(line)), setTimeout(ARRIVAL_LIMIT_MS)]);
      await detach();
    } finally {
      await end.destroy();
      await node.close();
    }
    expect(line.starts).toBe(FRAMES_OF_A_LIFE.length + 1);
    expect(line.disturbed).toBeGreaterThan(10);
    expect([...line.account.epochs.values()].filter(({ confirmed }) => confirmed > 0).length).toBeGreaterThan(2);
    await expectStored(storeFile, line, hasFlash);
  }, 150_000);
}

requires("gcc-arm-none-eabi", "qemu-system-arm")("firmware-examples/rotor-twin on a Cortex-M4", () => {
  rotorSuite("mps2-an386", false, 500);
});
requires("gcc-riscv64-unknown-elf", "qemu-system-riscv32")("firmware-examples/rotor-twin on RV32 with flash", () => {
  rotorSuite("riscv32-virt", true, 200);
});

/** Wait until the device has sent so many frames more. */
function framesSent(line: FirmwareLine, frames: number): Promise<void> {
  const enough = line.account.framesSent + frames;
  return line.until(() => line.account.framesSent >= enough);
}

/** Every frame that the device has shown is confirmed, but those of its last life. */
function isConfirmed(line: FirmwareLine): boolean {
  const epochs = [...line.account.epochs].sort(([a], [b]) => a - b).slice(0, -1);
  return epochs.every(([, { sent, confirmed }]) => confirmed >= sent.size);
}

/** Every epoch's samples are there from the first on, without a gap, within the bound. */
async function expectStored(storeFile: string, line: FirmwareLine, hasFlash: boolean): Promise<void> {
  const history = await openHistory(storeFile);
  try {
    expect(history.gaps("rotor")).toEqual([]);
    for (const [epoch, { sent, confirmed }] of line.account.epochs) {
      const isLast = epoch === Math.max(...line.account.epochs.keys());
      const frames = hasFlash && !isLast ? sent.size : confirmed;
      let promised = 0;
      for (let seq = 0; seq < frames; seq++) promised += sent.get(seq) ?? Number.NaN;
      let stored = 0;
      const reader = rotorTwinSignal().read();
      const measured = new Float64Array(CHANNELS);
      for (const { index, values } of history.samples("rotor", { epoch })) {
        expect(index, `epoch ${epoch}`).toBe(stored);
        reader.next(measured);
        for (const [c, x] of measured.entries()) {
          const error = Math.abs((values[c] ?? Number.NaN) - x);
          if (!(error <= EPS)) expect.fail(`epoch ${epoch}, sample ${index}, channel ${c}: off by ${error}`);
        }
        stored += 1;
      }
      expect(stored, `epoch ${epoch}: samples that were promised`).toBeGreaterThanOrEqual(promised);
    }
  } finally {
    history.close();
  }
}
