import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { BoardName, Firmware } from "qemu-wasm-runner";
import { FirmwareError } from "./firmware-error.ts";

/** Boards of QEMU that the firmware of the repository is built for. */
export const FIRMWARE_BOARDS = [
  "cortex-m0",
  "mps2-an385",
  "mps2-an386",
  "mps2-an500",
  "netduinoplus2",
  "riscv32-virt",
] as const satisfies readonly BoardName[];

/** One of FIRMWARE_BOARDS. */
export type FirmwareBoard = (typeof FIRMWARE_BOARDS)[number];

/** A folder of firmware-examples, as it is to be built. */
export interface FirmwareBuild {
  /** Name of its folder. */
  readonly example: string;
  readonly board: FirmwareBoard;
  /** What the device calls itself: 1 … 64 of `[A-Za-z0-9_-]`. */
  readonly name: string;
  /** Its own C files; headers are beside them. */
  readonly sources: readonly string[];
  /** Further flags for them, `-DNAME=VALUE`. */
  readonly flags?: readonly string[];
  /** Where built programs are kept. */
  readonly cacheFolder: string;
}

const DEVICE = ["serial-device", "serial-framing", "device"];
const RAM_STORE = ["boards/semihosting-clock", "store-none"];
const FLASH_STORE = ["boards/goldfish-clock", "boards/cfi-flash", "store-flash"];
const FLASH_RING = ["flash-ring", "flash-rebuild", "flash-log", "crc32", "ring-image"];

/** Whether what is in the ring of a device on this board can outlive its power. */
export function hasFlash(board: FirmwareBoard): boolean {
  return board === "riscv32-virt";
}

/**
 * Build firmware of the repository around the device module of this release; the same again is taken from the cache.
 *
 * @throws {FirmwareError} `no-sources` where the repository is not there, `missing-tool` with the line that installs it
 * @throws {RunnerError} as `build`
 */
export async function buildFirmware(plan: FirmwareBuild): Promise<Firmware> {
  const { example, board, name, cacheFolder, flags = [] } = plan;
  const folder = examplesFolder(example);
  // Loaded here: whoever simulates no firmware does not wait for it.
  const { build } = await import("qemu-wasm-runner");
  await expectTools(board);
  const support = join(folder, "board-support");
  const shared = [...DEVICE, ...(hasFlash(board) ? [...FLASH_STORE, ...FLASH_RING] : RAM_STORE)];
  const strict = readFileSync(join(support, "strict.flags"), "utf8").trim().split("\n");
  const { wasm, include } = deviceModule();
  return build(readFileSync(wasm), {
    board,
    cacheFolder,
    program: {
      sources: [
        ...plan.sources.map((file) => join(folder, example, file)),
        ...shared.map((file) => join(support, `${file}.c`)),
      ],
      includes: [include, join(folder, example)],
      flags: [...strict, `-DDEVICE_NAME="${name}"`, ...flags],
    },
  });
}

/** The repository's folder, beside this package's own. */
function examplesFolder(example: string): string {
  const here = createRequire(import.meta.url).resolve("@lockstep/sim/scenarios/lossy-uplink.yaml");
  const folder = join(dirname(here), "../../firmware-examples");
  if (existsSync(join(folder, example)) && existsSync(join(folder, "board-support"))) return folder;
  throw new FirmwareError("no-sources", { firmware: example, folder });
}

async function expectTools(board: FirmwareBoard): Promise<void> {
  const { doctor } = await import("qemu-wasm-runner");
  const missing = (await doctor()).filter(({ boards, command }) => command === null && boards.includes(board));
  if (missing.length === 0) return;
  const tools = missing.map((tool) => tool.name).join(" and ");
  throw new FirmwareError("missing-tool", { board, tools, install: missing.map((tool) => tool.install).join(" && ") });
}

function deviceModule(): { wasm: string; include: string } {
  const wasm = createRequire(import.meta.url).resolve("@lockstep/edge-sdk/device.wasm");
  return { wasm, include: join(dirname(wasm), "../include") };
}
