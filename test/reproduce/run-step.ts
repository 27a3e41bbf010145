import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { aptLine, findProgram, osPackage } from "../../scripts/os-packages.js";
import { comparePages } from "./compare-pages.ts";
import type { KeptRun, StepOutcome } from "./kept-run.ts";
import { ReproduceError } from "./reproduce-error.ts";
import { readResultPage } from "./result-page.ts";
import { runChild } from "./run-child.ts";
import { DATA, type Form, isHeldIn, type Step } from "./steps.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BENCH = fileURLToPath(new URL("run-bench.ts", import.meta.url));
const VITEST = join(ROOT, "node_modules/vitest/vitest.mjs");
/** A step of the quick form that takes longer hangs. */
const MOST_QUICK_MS = 15 * 60_000;
const EXIT_GOAL_MISSED = 1;

/** Where and how a step runs. */
export interface StepPlace {
  readonly form: Form;
  /** Folder that `--data` names. */
  readonly data: string | undefined;
  readonly kept: KeptRun;
  /** Folder of the pages that this run is held against. */
  readonly stated: string;
  readonly stop: AbortSignal;
}

/**
 * Run one step and hold what it measured against the page that is kept.
 *
 * @returns nothing when it was stopped
 */
export async function runStep(step: Step, place: StepPlace): Promise<StepOutcome | undefined> {
  const { form, kept, stop } = place;
  const plan = step.plans[form];
  const args = "args" in plan ? plan.args : [];
  const begun = performance.now();
  const outcome = (what: StepOutcome["outcome"], more: Partial<StepOutcome> = {}): StepOutcome => ({
    ...{ name: step.name, command: commandOf(step, form), outcome: what, seconds: (performance.now() - begun) / 1000 },
    ...{ load: loadavg()[0] ?? 0, date: new Date().toISOString() },
    ...{ goalsMissed: [], cells: 0, departures: [], rowsMissing: [] },
    ...more,
  });
  const lacking = "leftOut" in plan ? plan.leftOut : lackOf(step, args, place.data);
  if (lacking !== undefined) return outcome("not run", { reason: lacking });
  const scratch = mkdtempSync(join(tmpdir(), "lockstep-reproduce-"));
  // Programs that give up being root, such as mosquitto, must be able to pass
  chmodSync(scratch, 0o755);
  const report = join(scratch, "report.json");
  const log = kept.log(step.name);
  const given = args.map((arg) => (arg === DATA ? join(place.data ?? "", step.data ?? "") : arg));
  const child =
    step.kind === "bench"
      ? [BENCH, kept.pages, step.name, ...given]
      : [VITEST, "run", ...given, "--reporter=json", `--outputFile=${report}`];
  try {
    const mostMs = form === "quick" ? MOST_QUICK_MS : Number.POSITIVE_INFINITY;
    const { code, signal, isLate } = await runChild({ args: child, cwd: ROOT, log, scratch, mostMs, stop });
    if (stop.aborted) return undefined;
    if (isLate) return outcome("failed", { reason: `took more than ${MOST_QUICK_MS / 60_000} minutes` });
    if (step.kind === "example") return outcome(...judgeExample(report, log));
    if (code !== 0 && code !== EXIT_GOAL_MISSED) {
      return outcome("failed", { reason: `${signal ?? `exit code ${code}`}: ${lastLine(log)}` });
    }
    return outcome("measured", heldAgainst(step, place));
  } catch (error) {
    if (!(error instanceof ReproduceError)) throw error;
    return outcome("failed", { reason: error.message });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What a reader types to have this step alone. */
export function commandOf({ name, kind, plans }: Step, form: Form): string {
  const plan = plans[form];
  const typed = kind === "bench" ? `npm run bench -- ${name}` : "npm test --";
  return [typed, ...("args" in plan ? plan.args : [])].join(" ").replace(DATA, "DIR");
}

/** What a step needs and this machine, or the command line, lacks. */
function lackOf(step: Step, args: readonly string[], data: string | undefined): string | undefined {
  const missing = step.needs.map(osPackage).filter((row) => findProgram(row) === undefined);
  if (missing.length > 0) {
    return `needs ${missing.map(({ name }) => name).join(", ")}; on Debian: sudo ${aptLine(missing)}`;
  }
  if (step.needsRoot && process.getuid?.() !== 0) return "needs root: sudo npm run reproduce";
  if (!args.includes(DATA) || step.data === undefined) return undefined;
  if (data === undefined) return `needs --data DIR, a folder with ${step.data} (docs/BENCHMARKS.md says what is in it)`;
  return existsSync(join(data, step.data)) ? undefined : `needs ${step.data} in the folder of --data`;
}

function judgeExample(report: string, log: string): [StepOutcome["outcome"], Partial<StepOutcome>] {
  if (!existsSync(report)) return ["failed", { reason: lastLine(log) }];
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, "utf8")) as {
    readonly numPassedTests: number;
    readonly numFailedTests: number;
    readonly numPendingTests: number;
    readonly testResults: readonly {
      readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
    }[];
  };
  const [failed] = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === "failed"),
  );
  if (numFailedTests > 0 || numPassedTests === 0) {
    return ["failed", { reason: failed?.fullName ?? "no test ran" }];
  }
  if (numPendingTests > 0)
    return ["not run", { reason: `${numPendingTests} of its tests: \`npm test\` says what they need` }];
  return ["passed", { cells: numPassedTests }];
}

/** The measured page beside the one that is kept. */
export function heldAgainst(step: Step, { form, kept, stated }: StepPlace): Partial<StepOutcome> {
  const { name, quickHolds } = step;
  const measured = readResultPage(name, readFileSync(join(kept.pages, `${name}.md`), "utf8"));
  const goals = measured.tables.find((table) => table.name === "goals");
  const goalsMissed = goals?.rows.filter((row) => row.at(-1) === "**missed**").map(([what = ""]) => what) ?? [];
  const file = join(stated, `${name}.md`);
  if (!existsSync(file) || !isHeldIn(step, form)) return { goalsMissed };
  const page = readResultPage(name, readFileSync(file, "utf8"));
  const comparison = comparePages(name, page, measured, form === "quick" ? quickHolds : undefined);
  return { goalsMissed, ...comparison };
}

function lastLine(log: string): string {
  return readFileSync(log, "utf8").trimEnd().split("\n").at(-1)?.slice(0, 300) ?? "";
}
