import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { BENCH_WORKLOADS, CommandProcess, JobsRig } from "./jobs-rig.ts";
import { median } from "./statistics.ts";

const GIGABYTE = 1_000_000_000;
const PIECE_BYTES = 8_000_000;
/** Node itself, and what a blob of any size may add. */
const MEMORY_LIMIT = 400_000_000;
const MEGA = 1e6;

/** A gigabyte on its way through a job: handed in, copied by a worker, fetched; each beside the disk's own copy. */
export async function blobRates(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const rig = await JobsRig.start("SQLite");
  try {
    const input = join(rig.folder, "input.bin");
    await writeRandom(input);
    // Between our steps, each into a new file as theirs: neither the disk nor the machine's memory is as fast twice.
    const copies: number[] = [];
    const copy = async () => {
      copies.push(await timed(() => copyFile(input, join(rig.folder, `copy-${copies.length}.bin`))));
    };

    await copy();
    const own = ["--queue", rig.url, "--json"];
    const submit = new CommandProcess(["jobs", "submit", "copy", input, "--workloads-from", BENCH_WORKLOADS, ...own]);
    const [uploadMs, uploadPeak] = await watched(submit);
    const [, id = ""] = /"id":"([0-9a-f]+)"/.exec(submit.text) ?? [];
    await copy();
    const worker = await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
    const job = await rig.over(id);
    if (job.state !== "done" || job.startedMs === null || job.endedMs === null) {
      throw new BenchError("no-answer", { from: "the copying job", state: job.state, error: job.error?.message ?? "" });
    }
    const workMs = job.endedMs - job.startedMs;
    const workPeak = worker.peakBytes;
    await copy();
    const fetch = new CommandProcess(["jobs", "show", id, "--out", join(rig.folder, "out"), ...own]);
    const [fetchMs, fetchPeak] = await watched(fetch);
    await copy();
    const copyMs = median(copies);
    const output = join(rig.folder, "out", "copy-of-input.bin");
    if ((await sha256(output)) !== (await sha256(input))) throw new BenchError("not-the-same", { file: "the output" });

    const rows: (readonly [string, number, number | undefined])[] = [
      ["the disk's own copy, with fsync", copyMs, undefined],
      ["upload: read, hashed, sent, hashed, on the disk", uploadMs, uploadPeak],
      ["worker: read, verified, written, on the disk", workMs, workPeak],
      ["download: read, verified, written", fetchMs, fetchPeak],
    ];
    const slowest = Math.max(uploadMs, workMs, fetchMs);
    const peak = Math.max(uploadPeak, workPeak, fetchPeak);
    return {
      table: {
        title: "A blob of 1 GB: handed in, copied by a worker, fetched, the same in the end",
        columns: ["step", "s", "MB/s", "× of the disk's copy", "peak memory, MB"],
        rows: rows.map(([name, ms, bytes]) => [
          name,
          Number((ms / 1000).toFixed(2)),
          Math.round(GIGABYTE / ms / 1000),
          Number((copyMs / ms).toFixed(2)),
          bytes === undefined ? "–" : Math.round(bytes / MEGA),
        ]),
      },
      goals: [
        {
          what: "1 GB blob, slowest of upload, worker and download, of the disk's copy speed",
          measured: Math.floor((100 * copyMs) / slowest),
          unit: "%",
          must: { atLeast: 60 },
        },
        {
          what: "1 GB blob, most memory of any process",
          measured: Math.ceil(peak / MEGA),
          unit: "MB",
          must: { atMost: MEMORY_LIMIT / MEGA },
        },
      ],
    };
  } finally {
    await rig.stop();
  }
}

/** How long a command takes, and the most memory that it had. */
async function watched(command: CommandProcess): Promise<readonly [ms: number, peakBytes: number]> {
  const startedMs = performance.now();
  let peak = 0;
  const look = setInterval(() => {
    if (!command.hasEnded) peak = Math.max(peak, command.peakBytes);
  }, 50);
  await new Promise((resolve) => command.child.once("exit", resolve));
  clearInterval(look);
  if (command.child.exitCode !== 0)
    throw new BenchError("no-answer", { from: "lockstep", said: command.text.slice(-400) });
  return [performance.now() - startedMs, peak];
}

async function writeRandom(file: string): Promise<void> {
  const piece = randomBytes(PIECE_BYTES);
  const handle = await open(file, "wx");
  for (let at = 0; at < GIGABYTE; at += PIECE_BYTES) {
    piece.writeUInt32LE(at / PIECE_BYTES);
    await handle.write(piece);
  }
  await handle.sync();
  await handle.close();
}

/** As fast as this process can, with the bytes on the disk at the end. */
async function copyFile(from: string, to: string): Promise<void> {
  await pipeline(
    createReadStream(from, { highWaterMark: 1 << 20 }),
    createWriteStream(to, { highWaterMark: 1 << 20, flush: true }),
  );
}

async function timed(act: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return performance.now() - startedMs;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
