import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { formatCounted, formatQuantity } from "../../api/number-text.ts";
import { ContainerReader } from "../../workloads/trajectory/container-reader.ts";
import { DumpWriter } from "../../workloads/trajectory/dump-writer.ts";
import { roundFrame } from "../../workloads/trajectory/rounded-frame.ts";
import { TrajectoryError } from "../../workloads/trajectory/trajectory-error.ts";
import { CommandError } from "../command-error.ts";
import { aboutRoom, checkFiles, PartialFile } from "../partial-file.ts";
import { ProgressLine } from "../progress-line.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import type { UnpackCommandOptions } from "../trajectory.ts";
import { framesIn } from "./frame-range.ts";

/** What became of the frames that were asked for. */
interface Unpacked {
  frames: number;
  textBytes: number;
  /** That are in chunks that are damaged, and what is wrong with the first of these. */
  lost: number;
  problem: TrajectoryError | undefined;
}

/** `lockstep trajectory unpack`. */
export async function runUnpack(
  surroundings: Surroundings,
  input: string,
  output: string | undefined,
  options: UnpackCommandOptions,
): Promise<void> {
  const out = output === "-" ? undefined : output;
  await checkOutput(input, out, options);
  const file = await open(input);
  try {
    await unpack(surroundings, file, input, out, options);
  } finally {
    await file.close();
  }
}

async function unpack(
  surroundings: Surroundings,
  source: FileHandle,
  input: string,
  out: string | undefined,
  options: UnpackCommandOptions,
): Promise<void> {
  const { stdout, stderr, clock, interrupt } = surroundings;
  const reader = await ContainerReader.open(source, input);
  tellDamage(surroundings, input, reader);
  const frames = framesIn(options.frames, reader.frames);
  if (frames.length === 0) {
    throw new CommandError("file", `none of its ${formatCounted(reader.frames, "frame")} is asked for`, "give others");
  }
  const done: Unpacked = { frames: 0, textBytes: 0, lost: 0, problem: undefined };
  const partial = out === undefined ? undefined : await PartialFile.open(out);
  const progress = new ProgressLine(stderr, clock, "unpack");
  try {
    const text = textOf(reader, frames, options.columns, done, (count) => {
      progress.update(count, frames.length, done.textBytes);
    });
    await pipeline(text, partial?.stream ?? stdout, { end: false, signal: interrupt });
    if (done.frames === 0 && done.problem !== undefined) throw done.problem;
    await partial?.keep();
  } catch (error) {
    progress.clear();
    await partial?.discard();
    if (!interrupt.aborted) throw aboutRoom(error, out ?? "standard output");
    if (partial === undefined) return;
    throw new CommandError("interrupted", `stopped at ${progress.place}`, "nothing was written", { cause: error });
  } finally {
    progress.clear();
  }
  const { problem, ...facts } = done;
  const { damage, isFinished } = reader;
  const error = problem && { code: problem.code, message: problem.message, ...problem.place };
  const result = { input, output: out, ...facts, isFinished, damage, ...(error === undefined ? {} : { error }) };
  const line = `${out}: ${formatCounted(done.frames, "frame")}, ${formatQuantity(done.textBytes, "B", "up")}`;
  if (out !== undefined) await writeResult(surroundings, options.json, result, line);
  refuseLosses(input, reader, done);
}

/** The text of frames; those of damaged chunks are counted, and left out. */
async function* textOf(
  reader: ContainerReader,
  frames: readonly number[],
  columns: readonly string[] | undefined,
  done: Unpacked,
  onFrame: (count: number) => void,
): AsyncGenerator<Buffer> {
  const writer = new DumpWriter();
  for (const [count, index] of frames.entries()) {
    try {
      const frame = await reader.frame(index, columns);
      for (const text of writer.write(roundFrame(frame, await reader.bounds(index)))) {
        done.textBytes += text.length;
        yield text;
      }
      done.frames += 1;
    } catch (error) {
      if (!(error instanceof TrajectoryError) || error.code !== "bad-chunk") throw error;
      done.lost += 1;
      done.problem ??= error;
    }
    onFrame(count + 1);
  }
}

/** Say what a file without its index has, before its frames: their numbers close up over what is lost. */
function tellDamage({ stderr }: Surroundings, input: string, { damage, isFinished, frames }: ContainerReader): void {
  for (const { from, to, problem } of damage) stderr.write(`${input}: bytes ${from} to ${to} are lost: ${problem}\n`);
  if (isFinished || damage.length > 0) return;
  const reason = "its writer did not come to its end, or that was cut off";
  stderr.write(`${input}: has no index: ${reason}; ${formatCounted(frames, "frame")} can be read\n`);
}

/** @throws {CommandError} `file` where not all that was in the container can be given */
function refuseLosses(input: string, { damage }: ContainerReader, { frames, lost, problem }: Unpacked): void {
  const kept = `the ${formatCounted(frames, "frame")} that can be read are written`;
  if (problem !== undefined) {
    const lostFrames = `${problem.message}; ${formatCounted(lost, "frame")} of it are lost`;
    throw new CommandError("file", lostFrames, kept, { cause: problem });
  }
  if (damage.length > 0) throw new CommandError("file", `${input} is damaged`, kept);
}

/** @throws {CommandError} `usage`, `file` */
async function checkOutput(input: string, out: string | undefined, options: UnpackCommandOptions): Promise<void> {
  if (options.json === true && out === undefined) {
    throw new CommandError("usage", "--json and the dump both go to standard output", "name a file for the dump");
  }
  if (options.columns?.length === 0) throw new CommandError("usage", "--columns names none", "name some");
  const [compressed] = /\.(gz|bz2|zst)$/i.exec(out ?? "") ?? [];
  if (compressed !== undefined) {
    const problem = `a dump is written as plain text, and ${out} says ${compressed}`;
    throw new CommandError("usage", problem, "leave out the file, and pipe into a compressor");
  }
  await checkFiles(input, out);
}
