import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { DiskCopy } from "./jobs-disk-copy.ts";
import { BENCH_WORKLOADS, CommandProcess, JobsRig, type QueueKind } from "./jobs-rig.ts";

const LARGE_BYTES = 1_000_000_000;
const SMALL_BYTES = 100_000_000;
const PIECE_BYTES = 4_000_000;
/** Node itself, and what a blob of any size may add. */
const MEMORY_LIMIT = 400_000_000;
/** What ten times the blob may add: the collector's moods, of which a run has some tens of megabytes. */
const GROWTH_LIMIT = 64_000_000;
const MEGA = 1e6;
const STEPS = ["upload", "worker", "download"] as const;

/** What a step took, and the most memory of its process. */
interface Step {
  readonly ms: number;
  readonly peakBytes: number;
}

/** A blob on its way through a job. */
interface Way {
  readonly steps: Readonly<Record<(typeof STEPS)[number], Step>>;
  readonly copy: DiskCopy;
}

/** A gigabyte on its way through a job: handed in, copied by a worker, fetched; each beside the disk's own copy. */
export async function blobRates(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const small = await wayOf("SQLite", SMALL_BYTES);
  const large = await wayOf("SQLite", LARGE_BYTES);
  const stream = await wayOf("JetStream", LARGE_BYTES);
  const ways = [
    ["files, 100 MB", SMALL_BYTES, small],
    ["files, 1 GB", LARGE_BYTES, large],
    ["JetStream, 1 GB", LARGE_BYTES, stream],
  ] as const;
  const rows = ways.flatMap(([where, bytes, { steps, copy }]) => {
    const row = (what: string, ms: number, peakBytes?: number) => [
      `${where}: ${what}`,
      Number((ms / 1000).toFixed(2)),
      Math.round(bytes / ms / 1000),
      Number((copy.systemMs / ms).toFixed(2)),
      peakBytes === undefined ? "–" : Math.round(peakBytes / MEGA),
    ];
    return [
      row("the disk's own copy, fs.copyFile and fsync", copy.systemMs),
      row("the same by Node's streams", copy.streamMs),
      row("upload", steps.upload.ms, steps.upload.peakBytes),
      row("worker", steps.worker.ms, steps.worker.peakBytes),
      row("download", steps.download.ms, steps.download.peakBytes),
    ];
  });
  const slowestMs = Math.max(...STEPS.map((step) => large.steps[step].ms));
  const peak = Math.max(...ways.flatMap(([, , { steps }]) => STEPS.map((step) => steps[step].peakBytes)));
  const growth = Math.max(...STEPS.map((step) => large.steps[step].peakBytes - small.steps[step].peakBytes));
  return {
    table: {
      title: "A blob: handed in, copied by a worker, fetched, the same in the end",
      columns: ["blobs: step", "s", "MB/s", "× of fs.copyFile and fsync", "peak memory, MB"],
      rows,
    },
    goals: [
      {
        what: "1 GB blob in files, slowest of upload, worker and download, of the speed of fs.copyFile and fsync",
        measured: Math.floor((100 * large.copy.systemMs) / slowestMs),
        unit: "%",
        must: { atLeast: 60 },
      },
      {
        what: "blobs, most memory of any process, files and JetStream",
        measured: Math.ceil(peak / MEGA),
        unit: "MB",
        must: { atMost: MEMORY_LIMIT / MEGA },
      },
      {
        what: "blobs in files, what 1 GB takes of memory above 100 MB, in the step where that is most",
        measured: Math.ceil(growth / MEGA),
        unit: "MB",
        must: { atMost: GROWTH_LIMIT / MEGA },
      },
    ],
  };
}

/** Each step by a process that was only just started. */
async function wayOf(kind: QueueKind, bytes: number): Promise<Way> {
  const rig = await JobsRig.start(kind);
  try {
    const input = join(rig.folder, "input.bin");
    await writeRandom(input, bytes);
    const copy = new DiskCopy(input);
    // Nothing of JetStream is held against the disk: there the copies before and after do.
    const between = async () => {
      if (kind === "SQLite") await copy.measure();
    };
    await copy.measure();
    const own = ["--queue", rig.url, "--json"];
    const submit = new CommandProcess(["jobs", "submit", "copy", input, "--workloads-from", BENCH_WORKLOADS, ...own]);
    const upload = await watched(submit);
    const [, id = ""] = /"id":"([0-9a-f]+)"/.exec(submit.text) ?? [];
    await between();
    const process = await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
    const { state, startedMs, endedMs, error } = await rig.over(id);
    if (state !== "done" || startedMs === null || endedMs === null) {
      throw new BenchError("no-answer", { from: "the copying job", state, error: error?.message ?? "" });
    }
    const worker = { ms: endedMs - startedMs, peakBytes: process.peakBytes };
    await between();
    const fetch = new CommandProcess(["jobs", "show", id, "--out", join(rig.folder, "out"), ...own]);
    const download = await watched(fetch);
    await copy.measure();
    const output = join(rig.folder, "out", "copy-of-input.bin");
    if ((await sha256(output)) !== (await sha256(input))) throw new BenchError("not-the-same", { file: "the output" });
    return { steps: { upload, worker, download }, copy };
  } finally {
    await rig.stop();
  }
}

/** How long a command takes, and the most memory that it had. */
async function watched(command: CommandProcess): Promise<Step> {
  const startedMs = performance.now();
  let peakBytes = 0;
  const look = setInterval(() => {
    if (!command.hasEnded) peakBytes = Math.max(peakBytes, command.peakBytes);
  }, 20);
  await new Promise((resolve) => command.child.once("exit", resolve));
  clearInterval(look);
  if (command.child.exitCode !== 0) {
    throw new BenchError("no-answer", { from: "lockstep", said: command.text.slice(-400) });
  }
  return { ms: performance.now() - startedMs, peakBytes };
}

/** Pieces that are not alike, on the disk. */
async function writeRandom(file: string, bytes: number): Promise<void> {
  const piece = randomBytes(PIECE_BYTES);
  const handle = await open(file, "wx");
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    piece.writeUInt32LE(at / PIECE_BYTES);
    await handle.write(piece);
  }
  await handle.sync();
  await handle.close();
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
