import { type Command, InvalidArgumentError } from "commander";
import { MOST_CHUNK_FRAMES } from "../workloads/trajectory/container-format.ts";
import { parseNames, parsePositive, parsePositiveCount } from "./option-values.ts";
import type { Surroundings } from "./surroundings.ts";
import { type FrameRange, parseFrameRange } from "./trajectory/frame-range.ts";

/** What `trajectory pack` takes. */
export interface PackCommandOptions {
  readonly eps?: string;
  readonly rms?: boolean;
  readonly chunk?: number;
  readonly keepOrder?: boolean;
  readonly append?: boolean;
  readonly threads?: number;
  readonly json?: boolean;
}

/** What `trajectory unpack` takes. */
export interface UnpackCommandOptions {
  readonly frames?: FrameRange;
  readonly columns?: readonly string[];
  readonly json?: boolean;
}

/** What `trajectory verify` takes. */
export interface VerifyCommandOptions {
  readonly eps?: string;
  readonly lj?: number | true;
  readonly json?: boolean;
}

/** More threads no machine has cores for. */
const MOST_THREADS = 64;

const PACK_HELP = `
The last FILE is the container to write; all others are dumps, in the order of
their frames, and - is standard input. They may be compressed by gzip, bzip2 or
zstd.

BOUNDS are numbers in a column's unit, or percentages of its rms in the first
frame, for vectors (x xu xs xsu v f ...) and single columns:
  --eps x=1e-3,v=1e-2,f=1%,c_pe=1e-4
Without a bound positions keep a thousandth of the mean distance of atoms,
velocities and forces one percent of their rms, and all else stays as it is.

A dump that is damaged or cut off gives every whole frame before that, and exit
code 1. Ctrl-C leaves nothing behind; with --append, the file as it was.

Examples:
  $ lockstep trajectory pack dump.lammpstrj.gz out.lkt --eps x=1e-3,v=1e-2
  $ lockstep trajectory pack run1.dump run2.dump.zst out.lkt --rms
  $ zcat huge.dump.gz | lockstep trajectory pack - out.lkt --json`;

const UNPACK_HELP = `
Numbers get as many digits as their bounds need: what is written is within them.
RANGE is a frame, or FROM:TO or FROM:TO:STEP, from 0 and without TO itself;
either may be left out, and negative ones count from the end.

A chunk that is damaged costs its own frames: all others are written, and the
exit code is 1.

Examples:
  $ lockstep trajectory unpack out.lkt back.dump
  $ lockstep trajectory unpack out.lkt --frames -1 --columns id,type,x,y,z
  $ lockstep trajectory unpack out.lkt --frames ::10 | gzip > thin.dump.gz`;

const VERIFY_HELP = `
The last FILE is the copy: a container, or a dump that was unpacked from one
(then --eps says what to hold it to). All others are its source, in order.
Ends with exit code 1 unless every frame is there, every value within its bound,
and all else the same.

Examples:
  $ lockstep trajectory verify dump.lammpstrj.gz out.lkt
  $ lockstep trajectory verify melt.dump melt.lkt --lj 2.5 --json`;

/** `lockstep trajectory`: dumps of molecular dynamics, packed and back. */
export function addTrajectory(program: Command, surroundings: Surroundings): void {
  const trajectory = program
    .command("trajectory")
    .summary("molecular-dynamics dumps: pack, unpack, info, verify")
    .description("Pack LAMMPS dumps so that every value stays within the error bound asked for.")
    .addHelpText("after", "\nExample:\n  $ lockstep trajectory pack melt.dump melt.lkt --eps x=1e-3,v=1e-2");
  trajectory
    .command("pack")
    .summary("dumps into a container, every value within its bound")
    .description("Pack the frames of LAMMPS dumps; every chunk is decoded and compared before it is written.")
    .argument("<FILES...>", "dumps, and the container to write")
    .option("--eps <BOUNDS>", "error bounds, with commas between (default: see below)")
    .option("--rms", "also keep each root mean square under half its bound")
    .option("--append", "add to a container that is there, by its bounds unless --eps gives others")
    .option("--keep-order", "give rows back in the dump's order, and not by rising id")
    .option("--chunk <FRAMES>", "frames that are coded together, 1 to 1024 (default: 128)", parseChunk)
    .option("--threads <N>", "threads that code (default: one for each core, up to 8)", parsePackThreads)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", PACK_HELP)
    .action(async (files: readonly string[], options: PackCommandOptions) => {
      const { runPack } = await import("./trajectory/run-pack.ts");
      await runPack(surroundings, files, options);
    });
  trajectory
    .command("unpack")
    .summary("frames of a container as a LAMMPS dump")
    .description("Write frames of a container as a dump that LAMMPS reads.")
    .argument("<FILE>", "container written by `trajectory pack`")
    .argument("[OUT]", "dump to write (default: standard output)")
    .option("--frames <RANGE>", "these frames alone (default: all)", parseFrames)
    .option("--columns <NAMES>", "these columns alone, with commas between (default: all)", parseNames)
    .option("--json", "one JSON object on standard output; needs OUT")
    .addHelpText("after", UNPACK_HELP)
    .action(async (file: string, out: string | undefined, options: UnpackCommandOptions) => {
      const { runUnpack } = await import("./trajectory/run-unpack.ts");
      await runUnpack(surroundings, file, out, options);
    });
  trajectory
    .command("info")
    .summary("what a container holds, and where its bytes go")
    .description("Show what a container holds, with which bounds, and where its bytes go.")
    .argument("<FILE>", "container written by `trajectory pack`")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep trajectory info out.lkt")
    .action(async (file: string, options: { json?: boolean }) => {
      const { runInfo } = await import("./trajectory/run-info.ts");
      await runInfo(surroundings, file, options);
    });
  trajectory
    .command("verify")
    .summary("hold a container against the dumps that it was made of")
    .description("Compare every value of a container with its source, and say how near the bounds they come.")
    .argument("<FILES...>", "dumps, and the copy to hold against them")
    .option("--eps <BOUNDS>", "bounds of a copy that is a dump, as `pack` takes them")
    .option("--lj [CUTOFF]", "the change of Lennard-Jones energies, too; cut off at 2.5 sigma", parsePositive)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", VERIFY_HELP)
    .action(async (files: readonly string[], options: VerifyCommandOptions) => {
      const { runVerify } = await import("./trajectory/run-verify.ts");
      await runVerify(surroundings, files, options);
    });
}

function parsePackThreads(text: string): number {
  return upTo(MOST_THREADS, text);
}

function parseChunk(text: string): number {
  return upTo(MOST_CHUNK_FRAMES, text);
}

function upTo(most: number, text: string): number {
  const count = parsePositiveCount(text);
  if (count <= most) return count;
  throw new InvalidArgumentError(`write a whole number from 1 to ${most}`);
}

function parseFrames(text: string): FrameRange {
  const range = parseFrameRange(text);
  if (range !== undefined) return range;
  throw new InvalidArgumentError("write a frame, FROM:TO or FROM:TO:STEP, with STEP above 0");
}
