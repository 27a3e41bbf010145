import { buildFirmware, type FirmwareBoard } from "@lockstep/sim";
import type { Firmware } from "qemu-wasm-runner";
import { CACHE_FOLDER } from "../conformance/c-host-build.ts";

/**
 * Build an example for a board.
 *
 * @param example  its folder in firmware-examples
 * @param sources  of the example's own
 * @param name     of the device
 */
export function buildExample(
  board: FirmwareBoard,
  example: string,
  sources: readonly string[],
  name: string,
  flags: readonly string[] = [],
): Promise<Firmware> {
  return buildFirmware({ example, board, name, sources, flags, cacheFolder: CACHE_FOLDER });
}
