import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Firmware } from "qemu-wasm-runner";
import { CACHE_FOLDER, STRICT } from "../conformance/c-host-build.ts";
import { DEVICE_WASM } from "../conformance/raw-device.ts";

/** Boards that the firmware examples run on. */
export type FirmwareBoard = "mps2-an386" | "riscv32-virt";

const EXAMPLES = fileURLToPath(new URL("../../firmware-examples/", import.meta.url));
const SUPPORT = `${EXAMPLES}board-support/`;
const DEVICE = ["serial-device", "serial-framing", "device"];
const FLASH = ["flash-ring", "flash-rebuild", "flash-log", "ring-image"];
/** Beside the board that the runner brings: clock and store, as board-support/firmware.mk has them. */
const OF_BOARD: Readonly<Record<FirmwareBoard, readonly string[]>> = {
  "mps2-an386": ["boards/semihosting-clock", "store-none"],
  "riscv32-virt": ["boards/goldfish-clock", "boards/cfi-flash", "store-flash", ...FLASH],
};

/**
 * Build an example for a board.
 *
 * @param sources  of the example's own, from firmware-examples
 * @param name     of the device
 */
export function buildExample(
  board: FirmwareBoard,
  sources: readonly string[],
  name: string,
  defines: readonly string[] = [],
): Promise<Firmware> {
  const support = [...DEVICE, ...OF_BOARD[board]].map((file) => `${SUPPORT}${file}.c`);
  return build(readFileSync(DEVICE_WASM), {
    board,
    cacheFolder: CACHE_FOLDER,
    program: {
      sources: [...sources.map((file) => EXAMPLES + file), ...support],
      includes: [fileURLToPath(new URL("../../edge-sdk/include", import.meta.url)), `${EXAMPLES}rotor-twin`],
      flags: [...STRICT, `-DDEVICE_NAME="${name}"`, ...defines],
    },
  });
}
