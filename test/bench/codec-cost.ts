import type { BenchTable } from "./bench.ts";
import type { Cell } from "./codec-cell.ts";
import { GREEDY, type OursRun, VARIANTS } from "./codec-ours.ts";

const CHANNELS = [1, 6, 8];
const ROWS = [100, 1000];

/** Bytes of scratch beside the state. */
export type ScratchBytes = (rows: number, channels: number, lookahead: "none" | "greedy" | "programme") => number;

/** What a lookahead costs in time, where the greedy one was measured, and in memory. */
export function costTables(cells: readonly Cell[], scratchBytes: ScratchBytes): BenchTable[] {
  return [...(cells.every(({ greedy }) => greedy !== undefined) ? [timeTable(cells)] : []), memoryTable(scratchBytes)];
}

function timeTable(cells: readonly Cell[]): BenchTable {
  const [plain, programme] = VARIANTS;
  const length = cells[0]?.greedy?.frames ?? "file";
  const kinds = [plain, GREEDY, ...(programme === undefined ? [] : [programme])];
  const nsOf = (some: readonly Cell[], name: string) => {
    const runs = some.map((cell) => runOf(cell, name, length));
    const samples = some.reduce((sum, cell) => sum + cell.samples * cell.channels, 0);
    return runs.reduce((sum, run) => sum + (run?.encodeNs ?? Number.NaN), 0) / samples;
  };
  const row = (name: string, rel: number | string, some: readonly Cell[]) => {
    const times = kinds.map((kind) => nsOf(some, kind.name));
    const least = times[0] ?? Number.NaN;
    return [name, rel, ...times.map(Math.round), ...times.slice(1).map((ns) => Number((ns / least).toFixed(1)))];
  };
  return {
    title: `Encoding time, ns per channel-sample, frames of ${length}, and how many times that without lookahead`,
    columns: ["set", "rel", ...kinds.map(({ name }) => name), ...kinds.slice(1).map(({ name }) => `x, ${name}`)],
    rows: [...cells.map((cell) => row(cell.set, cell.rel, [cell])), row("all samples", "", cells)],
  };
}

function runOf(cell: Cell, name: string, length: number | "file"): OursRun | undefined {
  return [...cell.ours, ...(cell.greedy === undefined ? [] : [cell.greedy])].find((run) => {
    return run.variant === name && run.frames === length;
  });
}

function memoryTable(scratchBytes: ScratchBytes): BenchTable {
  return {
    title: "Memory of a lookahead beside state and samples, bytes",
    columns: ["lookahead", "rows", ...CHANNELS.map((channels) => `${channels} channel${channels === 1 ? "" : "s"}`)],
    rows: (["none", "greedy", "programme"] as const).flatMap((lookahead) =>
      ROWS.map((rows) => [lookahead, rows, ...CHANNELS.map((channels) => scratchBytes(rows, channels, lookahead))]),
    ),
  };
}
