/**
 * The `lockstep` command: started by `bin/lockstep.js` once it runs on Node 24.
 */
import { runCommandLine } from "./command-line.ts";
import { processSurroundings } from "./surroundings.ts";

const surroundings = processSurroundings();
process.exitCode = await runCommandLine(surroundings);
surroundings.release();
// After Ctrl-C nothing may keep the process: what had to be kept is on disk by now.
if (surroundings.interrupt.aborted) process.exit();
