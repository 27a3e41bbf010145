import { type BenchOptions, type BenchReport, type Budgets, bench } from "./bench.ts";
import { parseCall } from "./module-call.ts";
import { RunnerError } from "./runner-error.ts";

/** What was typed after `bench MODULE`. */
export interface BenchFlags {
  readonly call?: string[] | undefined;
  readonly json: boolean;
  readonly "max-flash"?: string | undefined;
  readonly "max-ram"?: string | undefined;
  readonly "max-insns"?: string | undefined;
  readonly "max-cycles"?: string | undefined;
}

const ROWS: readonly (readonly [keyof Budgets, keyof BenchFlags, string])[] = [
  ["flashBytes", "max-flash", "flash, B"],
  ["ramBytes", "max-ram", "memory, B"],
  ["instructions", "max-insns", "instructions, most of a call"],
  ["cycles", "max-cycles", "cycles, bound by table"],
];

/**
 * The command `bench`: measure, print, and hold against budgets.
 *
 * @returns the exit code: 1 when a budget is exceeded
 * @throws {RunnerError} `usage`, and as `bench`
 */
export async function benchCommand(
  wasm: Uint8Array,
  options: Omit<BenchOptions, "calls" | "budgets">,
  flags: BenchFlags,
  out: (text: string) => void,
): Promise<number> {
  if (flags.call === undefined) throw new RunnerError("usage", { bench: "needs --call" });
  const report = await bench(wasm, { ...options, calls: flags.call.map(parseCall), budgets: readBudgets(flags) });
  out(flags.json ? `${JSON.stringify(report)}\n` : describe(report));
  return report.isKept ? 0 : 1;
}

function readBudgets(flags: BenchFlags): Budgets {
  return Object.fromEntries(
    ROWS.flatMap(([name, flag]) => {
      const text = flags[flag];
      if (typeof text !== "string") return [];
      if (!/^\d+$/.test(text))
        throw new RunnerError("usage", { flag: `--${flag}`, given: text, want: "a whole number" });
      return [[name, Number(text)]];
    }),
  );
}

function describe(report: BenchReport): string {
  const lines = ROWS.map(([name, , title]) => {
    const { value = 0, limit = null, isKept = true } = report.budgets.find((row) => row.name === name) ?? {};
    const verdict = limit === null ? "" : `of ${limit}: ${isKept ? "kept" : "EXCEEDED"}`;
    return `${title.padEnd(30)}${String(value).padStart(8)}  ${verdict}`.trimEnd();
  });
  const memory = `  of it the module's own ${report.moduleRamBytes} B, stack ${report.stackBytes} B`;
  return `${[`board ${report.board}, calls: ${report.calls.length}`, ...lines.slice(0, 2), memory, ...lines.slice(2)].join("\n")}\n`;
}
