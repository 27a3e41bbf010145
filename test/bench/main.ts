import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import type { BenchOptions, BenchReport } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { type BenchRequest, readRequest } from "./bench-request.ts";
import { RecordingError } from "./recording-error.ts";
import { missedGoals, toMarkdown } from "./report.ts";

const EXIT_GOAL_MISSED = 1;
const EXIT_WRONG_USAGE = 2;
const EXIT_INTERRUPTED = 130;

/** Where a run writes to. */
export interface BenchPlace {
  /** The folder of kept results, with a slash at its end. */
  readonly results: URL;
  readonly say: (text: string) => void;
  /** What is no result: why nothing was run, or which goals were missed. */
  readonly complain: (text: string) => void;
}

const HERE: BenchPlace = {
  results: new URL("../../docs/results/", import.meta.url),
  say: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
};

/**
 * `npm run bench -- NAME [options]`: run one benchmark and print it; with `--write` also keep it in
 * `docs/results/NAME.md`. `--help` says which benchmarks there are, `NAME --help` what one of them takes.
 *
 * @param args  the command line after the program
 * @returns the exit code; 1 when a goal was missed, which is written down all the same and told on standard error; 2 for
 *   what cannot be run, with the reason on standard error; 130 when it was stopped
 */
export async function main(args: readonly string[], place: BenchPlace = HERE): Promise<number> {
  const { say, complain } = place;
  const read = readRequest(args);
  if ("help" in read) {
    say(`${read.help}\n`);
    return 0;
  }
  if ("refusal" in read) {
    complain(`${read.refusal}\n`);
    return EXIT_WRONG_USAGE;
  }
  const { request } = read;
  const run = await request.entry.load();
  let report: BenchReport;
  try {
    report = await run(request);
  } catch (error) {
    if (!(error instanceof BenchError || error instanceof RecordingError)) throw error;
    complain(`${error.message}\n`);
    return error.code === "stopped" ? EXIT_INTERRUPTED : EXIT_WRONG_USAGE;
  }
  return publish(report, request, place);
}

/**
 * Print a report, keep it where that was asked for, and tell the goals that it misses.
 *
 * @returns the exit code: 1 when a goal was missed
 */
export async function publish(
  report: BenchReport,
  { name, asJson, isKept, ...options }: Omit<BenchRequest, "entry">,
  { results, say, complain }: BenchPlace,
): Promise<number> {
  const markdown = toMarkdown(report, {
    command: `npm run bench -- ${name}${tellOptions(options)}${isKept ? " --write" : ""}`,
    machine: `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.versions.node}`,
    date: new Date().toISOString().slice(0, 10),
  });
  if (isKept) await keep(results, name, markdown, report);
  say(asJson ? `${JSON.stringify(report.json ?? report)}\n` : markdown);
  const missed = missedGoals(report.goals ?? []);
  if (missed === "") return 0;
  complain(missed);
  return EXIT_GOAL_MISSED;
}

/** Write the page and its plots. */
async function keep(results: URL, name: string, markdown: string, report: BenchReport): Promise<void> {
  await mkdir(results, { recursive: true });
  await writeFile(new URL(`${name}.md`, results), markdown);
  if (report.plots === undefined) return;
  const { drawPlot } = await import("./plot.ts");
  for (const plot of report.plots)
    await writeFile(new URL(`${plot.name}.svg`, results), `${await drawPlot(plot.spec)}\n`);
}

/** The options that were given, without the machine's own paths. */
function tellOptions({ dataFolder, rels, frameSamples, cases, parts, isQuick }: BenchOptions): string {
  return [
    dataFolder === undefined ? "" : " --data DIR",
    rels.length === 0 ? "" : ` --rel ${rels.join(",")}`,
    frameSamples === undefined ? "" : ` --frame-samples ${frameSamples}`,
    cases === undefined ? "" : ` --cases ${cases}`,
    parts === undefined ? "" : ` --parts ${parts.join()}`,
    isQuick === true ? " --quick" : "",
  ].join("");
}
