/**
 * Before a package is packed, what the repository keeps once is laid into its folder, and what an earlier build left in
 * its `dist` goes; with `--remove`, the parts are taken away again. npm runs it there, as `prepack` and `postpack`.
 */
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BOARD_SUPPORT = "firmware-examples/board-support";
/** Of the C there: what translated modules stand on, and the boards; the rest is for our own devices. */
const RUN_TIME = ["wasm-rt.c", "wasm-rt.h", "needed.flags", "boards", "interpreter"];
/** Under which every package is published. */
const LICENCES = { "LICENSE-APACHE": "LICENSE-APACHE", "LICENSE-MIT": "LICENSE-MIT" };
/** By package: what comes along from where in the repository, by its place in the package. */
const PARTS = {
  "sim/qemu-wasm-runner": Object.fromEntries(
    RUN_TIME.map((name) => [`board-support/${name}`, `${BOARD_SUPPORT}/${name}`]),
  ),
};

const folder = process.cwd();
const parts = { ...LICENCES, ...PARTS[relative(ROOT, folder).split(sep).join("/")] };
for (const place of Object.keys(parts)) rmSync(join(folder, place.split("/")[0]), { recursive: true, force: true });
if (!process.argv.includes("--remove")) {
  for (const [place, from] of Object.entries(parts)) cpSync(join(ROOT, from), join(folder, place), { recursive: true });
  removeLeftovers(join(folder, "dist"));
}

/** The compiler never deletes: a source that was renamed or removed leaves its output behind. */
function removeLeftovers(dist) {
  const sources = existsSync(join(folder, "src")) ? join(folder, "src") : folder;
  for (const file of readdirSync(dist, { recursive: true }).map(String)) {
    const stem = file.replace(/(\.d\.ts|\.js)(\.map)?$/, "");
    if (stem === file || existsSync(join(sources, `${stem}.ts`))) continue;
    rmSync(join(dist, file));
  }
}
