import { open } from "node:fs/promises";
import { formatCounted } from "../../api/number-text.ts";
import { checkRules, groupColumns } from "../../workloads/trajectory/column-groups.ts";
import { type ColumnComparison, FrameComparison } from "../../workloads/trajectory/compare-frames.ts";
import { isContainer } from "../../workloads/trajectory/container-format.ts";
import { type ColumnBound, ContainerReader } from "../../workloads/trajectory/container-reader.ts";
import { fileInput } from "../../workloads/trajectory/dump-input.ts";
import { type EnergyChange, EnergyComparison } from "../../workloads/trajectory/energy-comparison.ts";
import type { TrajectoryFrame } from "../../workloads/trajectory/frame.ts";
import { readDump } from "../../workloads/trajectory/read-dump.ts";
import { CommandError } from "../command-error.ts";
import { checkFiles } from "../partial-file.ts";
import { ProgressLine } from "../progress-line.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import type { VerifyCommandOptions } from "../trajectory.ts";
import { openInputs, splitFiles } from "./dump-inputs.ts";
import { rulesOption, usageOfBounds } from "./eps-option.ts";

/** Where LAMMPS' examples cut the Lennard-Jones potential off, in sigma. */
const DEFAULT_CUT_OFF = 2.5;

/** A frame of the copy, and what it is held to. */
interface CopiedFrame {
  readonly frame: TrajectoryFrame;
  readonly bounds: ReadonlyMap<string, ColumnBound>;
}

/** What `--json` prints. */
interface Verified {
  readonly copy: string;
  readonly sources: readonly string[];
  readonly holds: boolean;
  readonly frames: number;
  readonly columns: readonly ColumnComparison[];
  readonly problems: readonly string[];
  readonly energy: EnergyChange | null;
}

/** `lockstep trajectory verify`. */
export async function runVerify(
  surroundings: Surroundings,
  files: readonly string[],
  options: VerifyCommandOptions,
): Promise<void> {
  const { stderr, clock, interrupt } = surroundings;
  const [dumps, copy] = splitFiles(files, "the copy to hold against them");
  if (copy === "-") throw new CommandError("usage", "a copy is no stream", "name its file");
  await checkFiles(copy, undefined);
  const { inputs, totalBytes } = await openInputs(surroundings, dumps, undefined);
  const rules = rulesOption(options.eps);
  const isContainer = await beginsAsContainer(copy);
  if (isContainer && options.eps !== undefined) {
    throw new CommandError("usage", "a container has its own bounds", "leave out --eps");
  }
  const cutOff = options.lj === true ? DEFAULT_CUT_OFF : options.lj;
  const energy = cutOff === undefined ? undefined : new EnergyComparison(cutOff);
  const comparison = new FrameComparison();
  const progress = new ProgressLine(stderr, clock, "verify");
  let [storedBytes, textBytes] = [0, 0];
  const onBytes = (bytes: number) => {
    storedBytes += bytes;
  };
  const copies = isContainer ? containerFrames(copy, comparison) : dumpFrames(copy, (frame) => boundsBy(frame, rules));
  const sources = readDump(inputs, { onBytes });
  try {
    for await (const source of sources) {
      interrupt.throwIfAborted();
      const { value } = await copies.next();
      if (value === undefined) {
        comparison.addProblem(`the source goes on after ${formatCounted(comparison.frames, "frame")}`);
        break;
      }
      comparison.add(source, value.frame, value.bounds);
      energy?.add(source, value.frame);
      textBytes += source.source?.bytes ?? 0;
      progress.update(storedBytes, totalBytes, textBytes);
    }
    if ((await copies.next()).done !== true) {
      comparison.addProblem(`the copy goes on after ${formatCounted(comparison.frames, "frame")}`);
    }
  } catch (error) {
    if (!interrupt.aborted) throw usageOfBounds(error);
    throw new CommandError("interrupted", `stopped at ${progress.place}`, "nothing is proven", { cause: error });
  } finally {
    progress.clear();
    await copies.return(undefined);
  }
  for (const group of comparison.looseMeans) comparison.addProblem(`the rms of ${group} is over half its bound`);
  const { holds, frames, columns, problems } = comparison;
  const result = { copy, sources: dumps, holds, frames, columns, problems, energy: energy?.change ?? null };
  await writeResult(surroundings, options.json, result, reportText(result));
  if (!holds) throw new CommandError("outside-bound", `${copy} is not what it promises`, brokenText(result));
}

async function* containerFrames(path: string, comparison: FrameComparison): AsyncGenerator<CopiedFrame, undefined> {
  const file = await open(path);
  try {
    const reader = await ContainerReader.open(file, path);
    for (const { from, to, problem } of reader.damage) {
      comparison.addProblem(`bytes ${from} to ${to} are lost: ${problem}`);
    }
    for (let index = 0; index < reader.frames; index++) {
      yield { frame: await reader.frame(index), bounds: await reader.bounds(index) };
    }
    return undefined;
  } finally {
    await file.close();
  }
}

async function* dumpFrames(
  path: string,
  boundsOf: (frame: TrajectoryFrame) => ReadonlyMap<string, ColumnBound>,
): AsyncGenerator<CopiedFrame, undefined> {
  let bounds: ReadonlyMap<string, ColumnBound> | undefined;
  for await (const frame of readDump([fileInput(path)])) {
    const own = bounds ?? boundsOf(frame);
    // Relative bounds are those of the first frame that has atoms.
    if (frame.atoms > 0) bounds ??= own;
    yield { frame, bounds: own };
  }
  return undefined;
}

function boundsBy(frame: TrajectoryFrame, rules: ReturnType<typeof rulesOption>): ReadonlyMap<string, ColumnBound> {
  checkRules(frame, rules);
  return new Map(
    groupColumns(frame, rules, "max").flatMap(({ columns, mode, eps }) =>
      columns.map((name) => [name, { group: columns, mode, eps, decimals: undefined }] as const),
    ),
  );
}

/** @throws {CommandError} `file` */
async function beginsAsContainer(path: string): Promise<boolean> {
  const file = await open(path).catch((cause: unknown) => {
    throw new CommandError("file", `${path} cannot be read`, "check the path", { cause });
  });
  try {
    return await isContainer(file);
  } finally {
    await file.close();
  }
}

function reportText({ copy, frames, columns, problems, energy }: Verified): string {
  const lines = [`${copy}: ${formatCounted(frames, "frame")} compared`];
  for (const { column, eps, maxErrorOverEps, rmsErrorOverEps, broken, firstBroken } of columns) {
    const place = firstBroken && ` first in frame ${firstBroken.frame}, ${firstBroken.id ?? `row ${firstBroken.row}`}`;
    const wrong = broken === 0 ? "" : `; ${broken} values are not kept,${place}`;
    const kept =
      maxErrorOverEps === null || rmsErrorOverEps === null
        ? "as it was"
        : `eps ${Number(eps.toPrecision(4))}, max ${up(maxErrorOverEps)} eps, rms ${up(rmsErrorOverEps)} eps`;
    lines.push(`  ${column.padEnd(8)} ${broken > 0 && maxErrorOverEps === null ? "to be " : ""}${kept}${wrong}`);
  }
  if (energy !== null) lines.push(energyText(energy));
  return [...lines, ...problems.map((problem) => `  ${problem}`)].join("\n");
}

/** Four digits behind the point, never rounded in our favour. */
function up(share: number): string {
  return Number.isFinite(share) ? (Math.ceil(share * 1e4 - 1e-9) / 1e4).toFixed(4) : "infinite";
}

function energyText({ frames, potentialPerAtom, kineticPerAtom, totalPerAtom, relative }: EnergyChange): string {
  if (frames === 0) return "  no frame has positions to take an energy of";
  const parts = [
    `potential ${potentialPerAtom.toExponential(2)}`,
    ...(kineticPerAtom === null ? [] : [`kinetic ${kineticPerAtom.toExponential(2)}`]),
    ...(totalPerAtom === null ? [] : [`total ${totalPerAtom.toExponential(2)}`]),
  ];
  const whole = totalPerAtom === null ? "the potential" : "the total";
  return `  energy per atom changes by at most: ${parts.join(", ")}; ${relative.toExponential(2)} of ${whole}`;
}

function brokenText({ columns, problems }: Verified): string {
  const broken = columns.filter((column) => column.broken > 0).map(({ column }) => column);
  return broken.length === 0 ? (problems[0] ?? "") : `see ${broken.join(" ")} above`;
}
