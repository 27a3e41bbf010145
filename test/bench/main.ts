import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { BenchOptions } from "./bench.ts";
import { BENCHES } from "./registry.ts";
import { toMarkdown } from "./report.ts";

const RESULTS = new URL("../../docs/results/", import.meta.url);
const EXIT_WRONG_USAGE = 2;

/**
 * `npm run bench -- NAME [--data DIR] [--json]`: run one benchmark, print it, and keep it in `docs/results/NAME.md`.
 *
 * @param args  the command line after the program
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const request = parse(args);
  const load = request === undefined ? undefined : BENCHES.get(request.name);
  if (request === undefined || load === undefined) {
    const names = [...BENCHES.keys()].sort().join(", ");
    process.stderr.write(`bench: npm run bench -- NAME [--data DIR] [--json], with NAME one of: ${names}\n`);
    return EXIT_WRONG_USAGE;
  }
  const { name, dataFolder, asJson } = request;
  const run = await load();
  const report = await run({ dataFolder });
  const markdown = toMarkdown(report, {
    command: `npm run bench -- ${name}${dataFolder === undefined ? "" : " --data DIR"}`,
    machine: `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.versions.node}`,
  });
  await mkdir(RESULTS, { recursive: true });
  await writeFile(fileURLToPath(new URL(`${name}.md`, RESULTS)), markdown);
  process.stdout.write(asJson ? `${JSON.stringify(report)}\n` : markdown);
  return 0;
}

interface Request extends BenchOptions {
  readonly name: string;
  readonly asJson: boolean;
}

function parse(args: readonly string[]): Request | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { data: { type: "string" }, json: { type: "boolean", default: false } },
    });
    const [name, ...rest] = positionals;
    if (name === undefined || rest.length > 0) return undefined;
    return { name, dataFolder: values.data, asJson: values.json };
  } catch (error) {
    // An option that does not exist: the usage line answers it.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
