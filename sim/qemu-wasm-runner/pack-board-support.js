/** Before a pack: the run time of translated modules, which the repository keeps with its firmware, comes along. */
import { cpSync, mkdirSync, rmSync } from "node:fs";

const here = new URL("board-support/", import.meta.url);
const from = new URL("../../firmware-examples/board-support/", import.meta.url);

rmSync(here, { recursive: true, force: true });
if (!process.argv.includes("--remove")) {
  mkdirSync(here);
  for (const name of ["wasm-rt.c", "wasm-rt.h", "boards"]) {
    cpSync(new URL(name, from), new URL(name, here), { recursive: true });
  }
}
