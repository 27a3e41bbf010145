import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Firmware, type OwnProgram } from "qemu-wasm-runner";
import { DEVICE_WASM } from "./raw-device.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** Free-standing C that firmware stands on. */
export const BOARD_SUPPORT = here("../../firmware-examples/board-support");

/** Where the tests keep built programs, by content. */
export const CACHE_FOLDER = here("../../.lockstep/wasm-runner");
/** Our own C has no warnings with these. */
export const STRICT = readFileSync(`${BOARD_SUPPORT}/strict.flags`, "utf8").trim().split("\n");

/** Build C sources around `device.wasm`, with the device of board-support and every warning an error. */
export function buildDeviceProgram(sources: readonly string[], includes: readonly string[] = []): Promise<Firmware> {
  const program: OwnProgram = {
    sources: [`${BOARD_SUPPORT}/device.c`, ...sources.map(here)],
    includes: [BOARD_SUPPORT, here("../../edge-sdk/include"), ...includes.map(here)],
    flags: STRICT,
  };
  return build(readFileSync(DEVICE_WASM), { board: "host", cacheFolder: CACHE_FOLDER, program });
}
