import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type BenchOptions, type BenchReport, isMet } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { RecordingError } from "./recording-error.ts";
import { BENCHES } from "./registry.ts";
import { toMarkdown } from "./report.ts";

const RESULTS = new URL("../../docs/results/", import.meta.url);
const EXIT_GOAL_MISSED = 1;
const EXIT_WRONG_USAGE = 2;
const EXIT_INTERRUPTED = 130;

/**
 * `npm run bench -- NAME [--data DIR] [--rel R,…] [--frame-samples N] [--json] [--write]`: run one benchmark and
 * print it; with `--write` also keep it in `docs/results/NAME.md`.
 *
 * @param args  the command line after the program
 * @returns the exit code; 1 when a goal was missed, which is written down all the same; 2 for what cannot be run, with
 *   the reason on standard error; 130 when it was stopped
 */
export async function main(args: readonly string[]): Promise<number> {
  const request = parse(args);
  const load = request === undefined ? undefined : BENCHES.get(request.name);
  if (request === undefined || load === undefined) {
    const names = [...BENCHES.keys()].sort().join(", ");
    process.stderr.write(
      `bench: npm run -s bench -- NAME [--data DIR] [--rel R,...] [--frame-samples N] [--json] [--write], with NAME one of: ${names}; --write keeps it in docs/results\n`,
    );
    return EXIT_WRONG_USAGE;
  }
  const { name, asJson, isKept, ...options } = request;
  const run = await load();
  let report: BenchReport;
  try {
    report = await run(options);
  } catch (error) {
    if (!(error instanceof BenchError || error instanceof RecordingError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error.code === "stopped" ? EXIT_INTERRUPTED : EXIT_WRONG_USAGE;
  }
  const markdown = toMarkdown(report, {
    command: `npm run bench -- ${name}${tellOptions(options)}${isKept ? " --write" : ""}`,
    machine: `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.versions.node}`,
    date: new Date().toISOString().slice(0, 10),
  });
  if (isKept) await keep(name, markdown, report);
  process.stdout.write(asJson ? `${JSON.stringify(report.json ?? report)}\n` : markdown);
  return (report.goals ?? []).every(isMet) ? 0 : EXIT_GOAL_MISSED;
}

/** Write the page and its plots into `docs/results`. */
async function keep(name: string, markdown: string, report: BenchReport): Promise<void> {
  await mkdir(RESULTS, { recursive: true });
  await writeFile(fileURLToPath(new URL(`${name}.md`, RESULTS)), markdown);
  if (report.plots === undefined) return;
  const { writePlot } = await import("./plot.ts");
  for (const plot of report.plots) await writePlot(plot.name, plot.spec);
}

/** The options that were given, without the machine's own paths. */
function tellOptions({ dataFolder, rels, frameSamples }: BenchOptions): string {
  return [
    dataFolder === undefined ? "" : " --data DIR",
    rels.length === 0 ? "" : ` --rel ${rels.join(",")}`,
    frameSamples === undefined ? "" : ` --frame-samples ${frameSamples}`,
  ].join("");
}

interface Request extends BenchOptions {
  readonly name: string;
  readonly asJson: boolean;
  /** In `docs/results`. */
  readonly isKept: boolean;
}

function parse(args: readonly string[]): Request | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        data: { type: "string" },
        rel: { type: "string", multiple: true, default: [] },
        "frame-samples": { type: "string" },
        json: { type: "boolean", default: false },
        write: { type: "boolean", default: false },
      },
    });
    const [name, ...rest] = positionals;
    if (name === undefined || rest.length > 0) return undefined;
    const rels = values.rel.flatMap((list) => list.split(",")).map(Number);
    if (!rels.every((rel) => rel > 0 && rel < 1)) return undefined;
    const frameSamples = values["frame-samples"] === undefined ? undefined : Number(values["frame-samples"]);
    if (frameSamples !== undefined && !(Number.isInteger(frameSamples) && frameSamples > 0)) return undefined;
    return { name, dataFolder: values.data, rels, frameSamples, asJson: values.json, isKept: values.write };
  } catch (error) {
    // An option that does not exist: the usage line answers it.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
