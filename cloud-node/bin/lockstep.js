#!/usr/bin/env node
/**
 * The `lockstep` command. Plain JavaScript, because it must start under whatever Node the person has: it moves to
 * Node 24 where that is not it, and only then loads the compiled command.
 */
import { existsSync } from "node:fs";
import { continueOnNode24 } from "./node24.js";
import { continueWithYoungHeap } from "./young-heap.js";

await continueOnNode24(import.meta.url);
continueWithYoungHeap(import.meta.url);

const main = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write("lockstep: not built yet: in a clone, type `npm run build` (`npm start` does it by itself)\n");
  process.exitCode = 1;
}
