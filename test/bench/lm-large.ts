import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { PartFindings } from "./bench-part.ts";
import type { LargeRun } from "./lm-large-run.ts";
import type { LmPart, LmPlace } from "./lm-part.ts";

const PROGRAM = fileURLToPath(new URL("lm-large-run.ts", import.meta.url));
const MODEL = "12 x 12 x 768, T 1024, B 1, vocabulary 50,257";
const LAYERS = 12;
const STEPS = 3;
const GIGABYTE = 1e9;
const MUST_GIGABYTES = 4;

/** A few steps of a model of GPT-2's size on one thread: time, and memory. */
export const largePart: LmPart = { name: "large", run: benchLarge };

async function benchLarge({ isQuick }: LmPlace): Promise<PartFindings> {
  const size = isQuick ? [1, 1] : [LAYERS, STEPS];
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...size.map(String)]);
  const run = JSON.parse(stdout) as LargeRun;
  const cpu = Math.min(...run.cpuSeconds);
  const peak = run.peakBytes / GIGABYTE;
  return {
    tables: [
      {
        title: `GPT-2 small (${MODEL}), wasm-strict on one thread`,
        columns: ["parameters", "steps", "s a step, CPU", "s a step, wall", "steps/s of CPU", "peak, GB", "loss"],
        rows: [
          [
            run.parameters,
            run.losses.length,
            cpu.toPrecision(3),
            Math.min(...run.seconds).toPrecision(3),
            (1 / cpu).toPrecision(3),
            peak.toPrecision(3),
            run.losses.map((loss) => loss.toFixed(2)).join(", "),
          ],
        ],
      },
    ],
    goals: isQuick
      ? []
      : [
          {
            what: `${run.parameters} parameters, ${STEPS} steps, most of the process that was resident`,
            ...{ measured: peak, unit: "GB", must: { atMost: MUST_GIGABYTES } },
          },
        ],
    notes: ["GPT-2 small: a process of its own (`test/bench/lm-large-run.ts`), the same tokens at every step."],
    json: { large: { model: MODEL, ...run } },
  };
}
