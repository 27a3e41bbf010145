import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { PartFindings } from "./bench-part.ts";
import type { Held } from "./lm-memory-run.ts";
import type { LmPart, LmPlace } from "./lm-part.ts";

const PROGRAM = fileURLToPath(new URL("lm-memory-run.ts", import.meta.url));
const STEPS = 1000;
const QUICK_STEPS = 10;
const MEGABYTE = 1e6;
/** Of JavaScript's own objects: code that is still being compiled and counters come to less. */
const NOISE_MB = 0.25;

/** What a run holds after some steps, and after a thousand more. */
export const memoryPart: LmPart = { name: "memory", run: benchMemory };

async function benchMemory({ isQuick }: LmPlace): Promise<PartFindings> {
  const steps = isQuick ? QUICK_STEPS : STEPS;
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", PROGRAM, String(steps)]);
  const [before, after] = JSON.parse(stdout) as [Held, Held];
  const parts = ["heap", "buffers", "resident"] as const;
  const grown = (part: keyof Held) => (after[part] - before[part]) / MEGABYTE;
  return {
    tables: [
      {
        title: `Memory of nanoGPT's CPU recipe after 100 steps and after ${steps} more, MB`,
        columns: ["of", "after 100", `after ${steps} more`, "grown"],
        rows: parts.map((part) => [
          part === "heap"
            ? "objects, after a collection"
            : part === "buffers"
              ? "WebAssembly and buffers"
              : "process, resident",
          ...[before[part] / MEGABYTE, after[part] / MEGABYTE, grown(part)].map((x) => x.toFixed(2)),
        ]),
      },
    ],
    goals: [
      {
        what: "drift of objects and buffers over 1,000 steps",
        ...{ measured: grown("heap") + grown("buffers"), unit: "MB", must: { atMost: NOISE_MB } },
      },
    ],
    notes: [
      "Memory: a process of its own over the sonnets (`test/bench/lm-memory-run.ts`), its garbage collected before it is asked.",
    ],
    json: { memory: { steps, before, after } },
  };
}
