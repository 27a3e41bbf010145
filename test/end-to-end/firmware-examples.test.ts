import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CloudNode, openHistory, SILENT_LOGGER, systemClock } from "@lockstep/cloud-node";
import { SerialLine, systemRandom } from "@lockstep/edge-sdk";
import { type FirmwareBoard, seededRandom } from "@lockstep/sim";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { programPath, requires } from "../os-package.ts";
import { buildExample } from "./firmware-builds.ts";
import { FirmwareLine } from "./firmware-line.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** A unit is 2^-10 g; the promise is 8 of them. */
const UNIT = 2 ** -10;
const FRAMES = 2;
const clock = systemClock();

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-firmware-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Every example with a Makefile, and the boards that it is made for. */
const MADE: readonly (readonly [example: string, board: FirmwareBoard])[] = [
  ["cortex-m4-qemu", "mps2-an386"],
  ["riscv32-qemu", "riscv32-virt"],
  ["rotor-twin", "mps2-an386"],
  ["rotor-twin", "riscv32-virt"],
];

function exampleSuite(example: string, board: FirmwareBoard): void {
  test(`firmware-examples/${example} delivers what its sensor measures`, async () => {
    const firmware = await buildExample(board, "cortex-m4-qemu", ["main.c"], "probe");
    const storeFile = join(folder, "node.db");
    const acks = { everyFrames: 1, ageMs: 100 };
    const node = await CloudNode.open({ storeFile, broker: null, acks, logger: SILENT_LOGGER, clock });
    // Without a drive behind it the flash chip of virt holds what it held for as long as QEMU runs.
    const line = new FirmwareLine(firmware, [], seededRandom(1), Number.POSITIVE_INFINITY);
    const end = new SerialLine({ openPort: () => line.open(), clock, random: systemRandom() });
    try {
      node.attachLine("qemu", end);
      await line.until(() => line.starts > 1 || (line.account.epochs.get(1)?.confirmed ?? 0) >= FRAMES);
      expect(line.starts, "the firmware has ended by itself").toBe(1);
    } finally {
      await end.destroy();
      await node.close();
    }
    const history = await openHistory(storeFile);
    try {
      let stored = 0;
      let worst = 0;
      for (const { index, values } of history.samples("probe", { epoch: 1 })) {
        expect(index).toBe(stored);
        for (const [c, x] of sense(index).entries()) {
          worst = Math.max(worst, Math.abs((values[c] ?? Number.NaN) / UNIT - x));
        }
        stored += 1;
      }
      expect(stored).toBeGreaterThanOrEqual(100 * FRAMES);
      expect(worst).toBeLessThanOrEqual(8);
    } finally {
      history.close();
    }
  });
}

function makefileSuite(example: string, board: FirmwareBoard): void {
  requires("make")("by its Makefile", () => {
    test(`firmware-examples/${example} is made for ${board}, with every warning an error`, async () => {
      mkdirSync(join(folder, "firmware-examples"));
      const parts = ["board-support", "cortex-m4-qemu", example].map((name) => `firmware-examples/${name}`);
      for (const part of [...parts, "edge-sdk/include"]) {
        cpSync(join(REPOSITORY, part), join(folder, part), {
          recursive: true,
          filter: (path) => !path.endsWith("/build"),
        });
      }
      const wasm2c = `WASM2C=${process.execPath} ${fileURLToPath(import.meta.resolve("wabt/bin/wasm2c"))}`;
      const at = join(folder, "firmware-examples", example);
      const args = ["-C", at, `BOARD=${board}`, `WASM=${fileURLToPath(DEVICE_WASM)}`, wasm2c];
      execFileSync(programPath("make"), args, { stdio: "pipe" });
      const size = execFileSync(programPath("make"), ["--no-print-directory", "-s", ...args, "size"]).toString();
      const elf = readFileSync(join(at, "build", board, `${example}.elf`));
      expect(elf.subarray(1, 4).toString()).toBe("ELF");
      // The table is of the linker's own numbers: its parts are the whole of what the sections hold.
      const [, text = "", data = ""] = /\n\s*(\d+)\s+(\d+)\s+\d+/.exec(size) ?? [];
      const flash = [...size.matchAll(/^(?:core|device|store|board)\s+(\d+)/gm)].map(([, bytes]) => Number(bytes));
      expect(flash).toHaveLength(4);
      const parted = flash.reduce((sum, bytes) => sum + bytes, 0);
      expect(Math.abs(parted - Number(text) - Number(data))).toBeLessThan(64);
    });
  });
}

requires("gcc-arm-none-eabi", "qemu-system-arm")("on a Cortex-M4", () => {
  exampleSuite("cortex-m4-qemu", "mps2-an386");
  for (const [example, board] of MADE) if (board === "mps2-an386") makefileSuite(example, board);
});
requires("gcc-riscv64-unknown-elf", "qemu-system-riscv32")("on RV32 with flash", () => {
  exampleSuite("riscv32-qemu", "riscv32-virt");
  for (const [example, board] of MADE) if (board === "riscv32-virt") makefileSuite(example, board);
});

/** The sensor of cortex-m4-qemu/main.c. */
function sense(t: number): number[] {
  return [0, 1, 2].map((c) => {
    const phase = (t * (7 + c)) & 1023;
    const triangle = phase < 512 ? phase : 1023 - phase;
    const noise = (Math.imul(t + 1, 2_654_435_761) ^ Math.imul(c + 1, 40_503)) >>> 8;
    return (triangle - 256) * 4 + (noise % 21);
  });
}

requires("make", "cppcheck")("the examples' own check", () => {
  test.for(MADE)("firmware-examples/%s for %s has nothing that cppcheck names", async ([example, board]) => {
    const cwd = join(REPOSITORY, "firmware-examples", example);
    execFileSync("make", ["check", `BOARD=${board}`], { cwd, stdio: "pipe" });
  });
});
