import { fileURLToPath } from "node:url";
import { buildPageStep } from "./build-page.js";
import { buildTypescriptStep } from "./build-typescript.js";
import { buildWasmSteps } from "./build-wasm.js";
import { installStep } from "./install.js";
import { withLock } from "./lock.js";
import { createProgress } from "./progress.js";
import { SetupError } from "./setup-error.js";

/**
 * One thing that must be up to date.
 *
 * @typedef {object} Step
 * @property {string} doing   what a person reads while it runs: "installing dependencies"
 * @property {string} done    and afterwards: "installed dependencies"
 * @property {() => boolean} isDone  cheap, writes nothing, safe while another bootstrap works
 * @property {(track: (pid: number) => void) => Promise<void>} run  names each process it starts to `track`
 */

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Do whatever is not done, in order: a later step may need what an earlier one makes.
 *
 * Writes nothing and takes no lock where all is done, so that it also works in a read-only clone.
 *
 * @param {Step[]} steps
 * @param {object} surroundings
 * @param {string} surroundings.root
 * @param {import("./progress.js").Progress} surroundings.progress
 */
export async function bringUpToDate(steps, { root, progress }) {
  if (steps.every((step) => step.isDone())) return;
  await withLock(root, progress, async (track) => {
    for (const step of steps) {
      if (step.isDone()) continue;
      progress.begin(step.doing);
      await step.run(track);
      progress.end(step.done);
    }
  });
}

/** Bring this clone up to date; on failure print one line that says what to do, and set the exit code. */
export async function main() {
  const progress = createProgress(process.stderr);
  try {
    const steps = [installStep(ROOT), ...buildWasmSteps(ROOT), buildTypescriptStep(ROOT), buildPageStep(ROOT)];
    await bringUpToDate(steps, { root: ROOT, progress });
  } catch (error) {
    progress.clear();
    if (!(error instanceof SetupError)) throw error;
    if (error.output !== "") process.stderr.write(`${error.output.trimEnd()}\n`);
    process.stderr.write(`lockstep: ${error.message}\n`);
    process.exitCode = 1;
  }
}
