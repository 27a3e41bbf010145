import { readFileSync } from "node:fs";
import { loadCore } from "@lockstep/edge-sdk/core";
import type { BenchTable } from "./bench.ts";
import { boundsOf } from "./codec-cell.ts";
import { type FrameLength, runOurs, VARIANTS } from "./codec-ours.ts";
import { latticesOf } from "./codec-plan.ts";
import { geometricMean } from "./statistics.ts";
import type { TelemetrySet } from "./telemetry-sets.ts";

const MODULES = ["device", "device-lite"] as const;

/** The lite profile beside the full one, both as devices run them: no lookahead, frames of the headline. */
export function liteTables(
  sets: readonly TelemetrySet[],
  rels: readonly number[],
  frames: FrameLength,
): readonly [BenchTable, number] {
  const [variant] = VARIANTS;
  const cores = MODULES.map((name) =>
    loadCore(readFileSync(new URL(`../../edge-sdk/build/${name}.wasm`, import.meta.url))),
  );
  const ratios: number[] = [];
  const rows = sets.flatMap((set) => {
    const lattices = latticesOf(set);
    return rels.map((rel) => {
      const runs = cores.map((core) => runOurs(core, set, boundsOf(set, rel), { variant, frames, lattices }));
      const [full, lite] = runs.map(({ bitsPerSample }) => bitsPerSample);
      const ratio = (lite ?? Number.NaN) / (full ?? Number.NaN);
      ratios.push(ratio);
      const worst = Math.max(...runs.map(({ maxErrorOverEps }) => maxErrorOverEps));
      return [
        set.name,
        rel,
        (full ?? 0).toPrecision(4),
        (lite ?? 0).toPrecision(4),
        ratio.toFixed(3),
        worst.toFixed(6),
      ];
    });
  });
  const mean = geometricMean(ratios);
  rows.push(["geometric mean", "", "", "", mean.toFixed(3), ""]);
  return [
    {
      title: "The lite profile beside the full one, without lookahead, frames of the headline",
      columns: ["set", "rel", "bits, full", "bits, lite", "lite over full", "max error, both"],
      rows,
    },
    mean,
  ];
}
