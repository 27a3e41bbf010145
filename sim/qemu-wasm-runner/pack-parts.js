/** Before a pack come along what the repository keeps elsewhere: the run time of translated modules, and the licences. */
import { copyFileSync, cpSync, mkdirSync, rmSync } from "node:fs";

const here = new URL("board-support/", import.meta.url);
const from = new URL("../../firmware-examples/board-support/", import.meta.url);
const root = new URL("../../", import.meta.url);
const licences = ["LICENSE-APACHE", "LICENSE-MIT"];

rmSync(here, { recursive: true, force: true });
for (const name of licences) rmSync(new URL(name, import.meta.url), { force: true });
if (!process.argv.includes("--remove")) {
  mkdirSync(here);
  for (const name of ["wasm-rt.c", "wasm-rt.h", "needed.flags", "boards", "interpreter"]) {
    cpSync(new URL(name, from), new URL(name, here), { recursive: true });
  }
  for (const name of licences) copyFileSync(new URL(name, root), new URL(name, import.meta.url));
}
