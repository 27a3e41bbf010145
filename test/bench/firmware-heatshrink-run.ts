import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Firmware } from "qemu-wasm-runner";
import { BenchError } from "./bench-error.ts";
import { type FirmwarePlan, goalPlan } from "./firmware-plan.ts";
import { buildSubject, type FirmwareFigures, measureFirmware } from "./firmware-run.ts";

/** A way to build heatshrink's encoder. */
export interface HeatshrinkPlan {
  readonly hasIndex: boolean;
  readonly optimize: FirmwarePlan["optimize"];
}

const peer = (path: string) => fileURLToPath(new URL(`peers/${path}`, import.meta.url));

/**
 * Measure heatshrink's encoder on a Cortex-M4 as ours is measured: the same program around it, the same samples.
 *
 * @param rows  of each of the signals
 * @throws {BenchError} `no-peer` when the package is not installed, `no-answer` when the program does not end well
 */
export async function measureHeatshrink(plan: HeatshrinkPlan, rows?: number): Promise<FirmwareFigures> {
  return measureFirmware(asCodec(plan), await buildHeatshrink(plan), rows);
}

/** In the place of the codec: what it answers has the same members. */
function asCodec({ optimize }: HeatshrinkPlan): FirmwarePlan {
  return { ...goalPlan("codec"), optimize };
}

function buildHeatshrink(plan: HeatshrinkPlan): Promise<Firmware> {
  return buildSubject(asCodec(plan), {
    sources: [peer("firmware-heatshrink.c")],
    supportSources: [peer("heatshrink-encoder.c")],
    includes: [peer("."), peer("heatshrink-libc"), packageFolder()],
    flags: [`-DHEATSHRINK_INDEX=${plan.hasIndex ? 1 : 0}`],
  });
}

/** The sources alone are used: the package's own build is for Node, and is not run. */
function packageFolder(): string {
  try {
    return dirname(fileURLToPath(import.meta.resolve("heatshrink/package.json")));
  } catch {
    throw new BenchError("no-peer", { package: "heatshrink", install: "npm ci --ignore-scripts" });
  }
}
