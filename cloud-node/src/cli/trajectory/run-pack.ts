import { open, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { formatCounted, formatNumber, formatQuantity, formatRatio } from "../../api/number-text.ts";
import { isContainer } from "../../workloads/trajectory/container-format.ts";
import { ContainerReader } from "../../workloads/trajectory/container-reader.ts";
import type { ContainerDamage } from "../../workloads/trajectory/container-scan.ts";
import { ContainerWriter, type PackOptions } from "../../workloads/trajectory/container-writer.ts";
import type { EpsRules } from "../../workloads/trajectory/eps-rules.ts";
import { type PackProgress, type PackSummary, packDumps } from "../../workloads/trajectory/pack-dumps.ts";
import type { TrajectoryError } from "../../workloads/trajectory/trajectory-error.ts";
import { CommandError } from "../command-error.ts";
import { aboutRoom, PartialFile } from "../partial-file.ts";
import { ProgressLine } from "../progress-line.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import type { PackCommandOptions } from "../trajectory.ts";
import { AppendedFile } from "./appended-file.ts";
import { openInputs, splitFiles } from "./dump-inputs.ts";
import { rulesOption, usageOfBounds } from "./eps-option.ts";

/** Reading, which one thread does, keeps no more than these busy. */
const MOST_DEFAULT_THREADS = 8;

/** `lockstep trajectory pack`. */
export async function runPack(
  surroundings: Surroundings,
  files: readonly string[],
  options: PackCommandOptions,
): Promise<void> {
  const { stderr, clock, interrupt } = surroundings;
  const [dumps, out] = splitFiles(files, "the container to write");
  const rules = rulesOption(options.eps);
  const { inputs, totalBytes } = await openInputs(surroundings, dumps, out);
  const isReplaced = await checkOutput(out, options.append === true);
  const file = options.append === true ? await AppendedFile.open(out) : await PartialFile.open(out);
  const progress = new ProgressLine(stderr, clock, "pack");
  const startedMs = clock.nowMs();
  let frames = 0;
  const onProgress = (now: PackProgress) => {
    frames = now.frames;
    if (now.packedBytes > 0) progress.name(`${formatRatio(now.packedTextBytes / now.packedBytes)} smaller`);
    progress.update(now.storedBytes, totalBytes, now.textBytes);
  };
  let summary: PackSummary;
  let writer: ContainerWriter | undefined;
  try {
    const packing = await packOptions(file, out, rules, options);
    if (file instanceof AppendedFile) {
      const { damage, frames: whole } = await ContainerReader.open(file.handle, out);
      writer = await ContainerWriter.append(file.handle, out, packing);
      tellCut(surroundings, out, damage, whole);
    } else writer = await ContainerWriter.create(file.handle, packing);
    summary = await packDumps(inputs, writer, { ...packing, asked: rules }, interrupt, onProgress);
    progress.finishing();
    await file.handle.sync();
    interrupt.throwIfAborted();
    await file.keep();
  } catch (error) {
    progress.clear();
    await writer?.close();
    await file.discard();
    if (!interrupt.aborted) throw usageOfBounds(aboutRoom(error, out));
    const kept = options.append === true ? `${out} is as it was` : "nothing was written";
    throw new CommandError("interrupted", `stopped after ${formatCounted(frames, "frame")}`, kept, { cause: error });
  } finally {
    progress.clear();
  }
  const seconds = (clock.nowMs() - startedMs) / 1000;
  if (isReplaced) stderr.write(`${out}: replaced the container that was there\n`);
  tellNotes(surroundings, summary);
  const { cut, notes: _notes, ...facts } = summary;
  const result = { output: out, inputs: dumps, isAppended: options.append === true, ...facts, seconds };
  const error = cut && { code: cut.code, message: cut.message, ...cut.place };
  const told = error === undefined ? result : { ...result, error };
  await writeResult(surroundings, options.json, told, summaryText(out, summary, seconds));
  if (cut !== undefined) throw cutShort(cut, summary.frames);
}

/** What is added keeps to the bounds of the last frame that is there, unless others are asked for. */
async function packOptions(
  file: AppendedFile | PartialFile,
  out: string,
  rules: EpsRules,
  { rms, chunk, keepOrder, eps, append, threads }: PackCommandOptions,
): Promise<PackOptions> {
  const more = {
    ...(chunk === undefined ? {} : { chunkFrames: chunk }),
    keepRows: keepOrder === true,
    threads: threads ?? Math.min(MOST_DEFAULT_THREADS, availableParallelism()),
  };
  if (append !== true || eps !== undefined) return { rules, mode: rms === true ? "rms" : "max", ...more };
  const reader = await ContainerReader.open(file.handle, out);
  const before = reader.frames === 0 ? [] : [...(await reader.bounds(reader.frames - 1))];
  const bounded = before.filter(([, { eps: bound }]) => bound > 0);
  const mode = rms === true || bounded.some(([, bound]) => bound.mode === "rms") ? "rms" : "max";
  const kept = bounded.map(([name, { eps: bound }]) => [name, { absolute: bound }] as const);
  return { rules: new Map(kept), mode, ...more };
}

/**
 * A dump that stands where the container belongs is a slip of the hand, and not to be written over.
 *
 * @returns whether there is a container that is to be replaced
 * @throws {CommandError} `usage`, `file`
 */
async function checkOutput(out: string, isAppended: boolean): Promise<boolean> {
  if (out === "-") throw new CommandError("usage", "a container is no stream", "name a file for it");
  const place = await stat(out).catch(() => undefined);
  if (isAppended) {
    if (place === undefined) {
      throw new CommandError("file", `there is no container ${out} to add to`, "leave out --append to make one");
    }
    return false;
  }
  if (place === undefined || !place.isFile() || place.size === 0) return false;
  const file = await open(out);
  try {
    if (await isContainer(file)) return true;
  } finally {
    await file.close();
  }
  const remedy = "name the container last, or delete that file";
  throw new CommandError("usage", `${out} is there and is no container`, remedy);
}

/** What its writer did not come to end is not there any more once frames are added. */
function tellCut({ stderr }: Surroundings, out: string, damage: readonly ContainerDamage[], frames: number): void {
  for (const { from, to, problem } of damage) {
    const place = `bytes ${from} to ${to}, behind its ${formatCounted(frames, "whole frame")}`;
    stderr.write(`${out}: cut off ${place}: ${problem}\n`);
  }
}

function tellNotes({ stderr }: Surroundings, { notes, openEnded }: PackSummary): void {
  for (const { columns, eps, rounding } of notes) {
    const found = `numbers in the dump are rounded by up to ${rounding}`;
    stderr.write(`${columns.join(" ")}: ${found}, more than the bound ${eps}: a wider one would only lose noise\n`);
  }
  for (const file of openEnded) {
    stderr.write(`${file}: ends without a line end: if it was cut there, its last number may have lost digits\n`);
  }
}

function summaryText(out: string, summary: PackSummary, seconds: number): string {
  const { frames, atoms, packedBytes, textBytes, ratio, maxErrorOverEps, bounds } = summary;
  const rate = formatQuantity(textBytes / Math.max(seconds, 1e-3), "B/s");
  const size = `${formatCounted(frames, "frame")} of up to ${formatCounted(atoms, "atom")}`;
  const line = [
    `${out}: ${formatQuantity(packedBytes, "B", "up")}, ${formatRatio(ratio)} smaller than text`,
    `largest error ${formatNumber(maxErrorOverEps, "up")} eps`,
    `${size} in ${seconds.toFixed(1)} s, ${rate}`,
  ].join("; ");
  const kept = bounds.map(({ columns, mode, eps }) => `  ${columns.join(" ")}: ${boundText(mode, eps)}`);
  return [line, ...kept].join("\n");
}

function boundText(mode: string, eps: number): string {
  if (mode === "exact") return "as it was";
  const bound = Number(eps.toPrecision(4));
  return mode === "rms" ? `within ${bound}, rms under half of that` : `within ${bound}`;
}

function cutShort(cut: TrajectoryError, frames: number): CommandError {
  return new CommandError("file", cut.message, `${formatCounted(frames, "frame")} in front of it are packed`, {
    cause: cut,
  });
}
