import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";
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
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { data: { type: "string" }, json: { type: "boolean", default: false } },
  });
  const [name = ""] = positionals;
  const load = BENCHES.get(name);
  if (load === undefined || positionals.length !== 1) {
    process.stderr.write(`bench: npm run bench -- NAME [--data DIR] [--json], with NAME one of: ${namesOf(BENCHES)}\n`);
    return EXIT_WRONG_USAGE;
  }
  const run = await load();
  const report = await run({ dataFolder: values.data });
  const markdown = toMarkdown(report, {
    command: `npm run bench -- ${name}${values.data === undefined ? "" : " --data DIR"}`,
    machine: `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.versions.node}`,
  });
  await mkdir(RESULTS, { recursive: true });
  await writeFile(fileURLToPath(new URL(`${name}.md`, RESULTS)), markdown);
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : markdown);
  return 0;
}

function namesOf(benches: ReadonlyMap<string, () => Promise<Bench>>): string {
  return benches.size === 0 ? "(none yet)" : [...benches.keys()].sort().join(", ");
}
