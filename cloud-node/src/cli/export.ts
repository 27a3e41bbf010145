import { existsSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { formatCount, formatQuantity } from "../api/number-text.ts";
import type { History } from "../history/history.ts";
import { CommandError } from "./command-error.ts";
import { DEFAULT_STORE_FILE } from "./defaults.ts";
import type { DeviceExported } from "./export/export-device.ts";
import { EXPORT_FORMATS, type ExportFormat } from "./export/table-sink.ts";
import { parsePositiveCount } from "./option-values.ts";
import { checkFiles, PartialFile } from "./partial-file.ts";
import { ProgressLine } from "./progress-line.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";

interface ExportOptions {
  readonly store: string;
  readonly device: readonly string[];
  readonly all?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly channels?: string;
  readonly buckets?: number;
  readonly format?: ExportFormat;
  readonly out?: string;
  readonly json?: boolean;
}

const HELP = `
One device goes to a file, or as CSV to standard output; several go to a folder, one file each. Names may have a *.
Times are by the device's clock: microseconds since 1970, or dates as 2026-05-01T12:00:00Z.
Full rate unless --buckets says otherwise: time_us, epoch, one column for each channel, and saturated, which names the
channels whose value is clipped. A reading that the sensor did not give is empty, what was lost has no row, and every
other value is within its channel's bound. A node may be running on the store; it is only read.

Examples:
  $ lockstep export --device rotor-1 --out rotor.parquet
  $ lockstep export --device rotor-1 --from 2026-05-01 --to 2026-05-02 --format csv | head
  $ lockstep export --device 'rotor-*' --device imu-1 --format parquet --out exports
  $ lockstep export --all --buckets 1000 --format csv --out exports --json`;

/** `lockstep export`: the past of devices as tables. */
export function addExport(program: Command, surroundings: Surroundings): void {
  program
    .command("export")
    .summary("the history of devices as CSV or Parquet")
    .description("Write what a store holds of devices' past as tables.")
    .option("--store <FILE>", "SQLite file of a node", DEFAULT_STORE_FILE)
    .option("--device <NAME>", "which device; may be repeated, and have a *", collect, [])
    .option("--all", "every device")
    .option("--from <TIME>", "from this time on (default: all that there is)")
    .option("--to <TIME>", "up to this time, exclusive")
    .option("--channels <NAMES>", "these alone, with commas between them")
    .option("--buckets <N>", "at most so many, each with its two extremes, in place of full rate", parsePositiveCount)
    .addOption(new Option("--format <FORMAT>", "what to write (default: by the name of OUT)").choices(EXPORT_FORMATS))
    .option(
      "-o, --out <OUT>",
      "file for one device, folder for several, made if missing (default: CSV to standard output)",
    )
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", HELP)
    .action((options: ExportOptions) => runExport(surroundings, options));
}

function collect(name: string, before: readonly string[]): readonly string[] {
  return [...before, name];
}

async function runExport(surroundings: Surroundings, options: ExportOptions): Promise<void> {
  const { store, out } = options;
  if (!existsSync(store)) {
    throw new CommandError("file", `no store at ${store}`, "give --store FILE, the one `lockstep serve` writes");
  }
  const { openHistory } = await import("../history/history.ts");
  const history = await openHistory(store);
  try {
    const devices = chosenDevices(history, options);
    const there = out === undefined ? undefined : await stat(out).catch(() => undefined);
    // Whoever asks for several means a folder, also while only one of them is known.
    const isNewFolder =
      out !== undefined && there === undefined && isOfSeveral(options) && namedFormat(out) === undefined;
    const isFolder = isNewFolder || there?.isDirectory() === true;
    const format = chosenFormat(options, isFolder);
    if (devices.length > 1 && !isFolder) {
      const problem = `${devices.length} devices do not go into one file`;
      throw new CommandError("usage", problem, "give a folder with --out");
    }
    if (isNewFolder) await makeFolder(out);
    const places = devices.map((device) => ({
      device,
      file: out === undefined ? undefined : isFolder ? join(out, `${device}.${format}`) : out,
    }));
    for (const { file } of places) await checkFiles(store, file);
    await exportAll(surroundings, options, history, places, format);
  } finally {
    history.close();
  }
}

interface Place {
  readonly device: string;
  /** undefined: standard output. */
  readonly file: string | undefined;
}

async function exportAll(
  surroundings: Surroundings,
  options: ExportOptions,
  history: History,
  places: readonly Place[],
  format: ExportFormat,
): Promise<void> {
  const { stdout, stderr, clock, interrupt } = surroundings;
  const { exportDevice } = await import("./export/export-device.ts");
  const { exportRange, exportChannels } = await import("./export/export-choice.ts");
  const progress = new ProgressLine(stderr, clock, "export", "rows/s");
  const done: (DeviceExported & { readonly file: string | null })[] = [];
  for (const [index, { device, file }] of places.entries()) {
    if (places.length > 1) progress.stage(`${index + 1}/${places.length} ${device}`);
    const range = exportRange(history, device, options);
    const channels = exportChannels(history, device, options.channels);
    const partial = file === undefined ? undefined : await PartialFile.open(file);
    const stream = partial?.stream ?? stdout;
    try {
      const work = { history, device, range, channels, buckets: options.buckets, format, progress, signal: interrupt };
      const exported = await exportDevice({ ...work, stream });
      await partial?.keep();
      done.push({ ...exported, file: file ?? null });
    } catch (error) {
      progress.clear();
      await partial?.discard();
      if (!interrupt.aborted) throw error;
      if (file === undefined) return;
      const kept = done.length === 0 ? "nothing was written" : `${done.length} of ${places.length} files are complete`;
      throw new CommandError("interrupted", `stopped at ${progress.place}`, kept, { cause: error });
    }
  }
  progress.clear();
  await tell(surroundings, options, done, format);
}

async function tell(
  surroundings: Surroundings,
  { store, json, out }: ExportOptions,
  files: readonly (DeviceExported & { readonly file: string | null })[],
  format: ExportFormat,
): Promise<void> {
  if (json === true) {
    await writeResult(surroundings, true, { store, format, files }, "");
    return;
  }
  for (const { device, file, rows, channels, bytes, damaged } of files) {
    for (const { fromUs, toUs } of damaged) {
      surroundings.stderr.write(
        `${device}: from ${fromUs} to ${toUs} µs the store is damaged; there are no rows of it\n`,
      );
    }
    if (rows === 0) surroundings.stderr.write(`${device}: no samples in this range\n`);
    if (out === undefined || file === null) continue;
    const size = `${formatCount(rows)} rows x ${channels} channels, ${formatQuantity(bytes, "B", "up")}`;
    await writeResult(surroundings, false, {}, `${file}: ${size}`);
  }
}

function chosenDevices(history: History, { device: patterns, all, store }: ExportOptions): string[] {
  const known = history.devices();
  if (all === true && patterns.length > 0) {
    throw new CommandError("usage", "--all is every device already", "leave out --device, or --all");
  }
  if (all === true && known.length > 0) return known;
  if (patterns.length === 0 && all !== true) {
    throw new CommandError("usage", "no device to export", `give --device NAME or --all; ${store} has ${list(known)}`);
  }
  const chosen = new Set<string>();
  for (const pattern of patterns) {
    const expression = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
    const found = known.filter((id) => expression.test(id));
    if (found.length === 0) throw new CommandError("file", `no device ${pattern} in ${store}`, `it has ${list(known)}`);
    for (const id of found) chosen.add(id);
  }
  if (chosen.size === 0) throw new CommandError("file", `${store} has no device yet`, "let one report first");
  return [...chosen];
}

/** The first names of a fleet. */
function list(names: readonly string[]): string {
  const SHOWN = 5;
  if (names.length === 0) return "none";
  const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : "";
  return `${names.slice(0, SHOWN).join(", ")}${more}`;
}

function chosenFormat({ format, out, json }: ExportOptions, isFolder: boolean): ExportFormat {
  if (out === undefined) {
    if (format === "parquet") throw new CommandError("usage", "Parquet needs a file", "give --out FILE");
    if (json === true) throw new CommandError("usage", "--json and CSV both go to standard output", "give --out FILE");
    return "csv";
  }
  if (format !== undefined) return format;
  const named = namedFormat(out);
  if (named !== undefined && !isFolder) return named;
  throw new CommandError("usage", `${out} does not say which format to write`, "give --format csv or --format parquet");
}

function namedFormat(out: string): ExportFormat | undefined {
  return EXPORT_FORMATS.find((one) => out.toLowerCase().endsWith(`.${one}`));
}

function isOfSeveral({ all, device }: ExportOptions): boolean {
  return all === true || device.length > 1 || device.some((name) => name.includes("*"));
}

/** Beside what is there already, and no deeper: a mistyped path is none. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (cause) {
    throw new CommandError("file", `the folder ${folder} cannot be made`, "give one that is there", { cause });
  }
}
