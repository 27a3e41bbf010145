import type { Clock } from "../clock.ts";
import type { BlobStore } from "./blob-store.ts";
import { FileBlobs } from "./file-blobs.ts";
import { JobError } from "./job-error.ts";
import type { JobQueue } from "./job-queue.ts";
import { DEFAULT_PACE, type QueuePace } from "./job-steps.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

/** A queue, and the blobs that its jobs name. */
export interface OpenQueue {
  readonly queue: JobQueue;
  readonly blobs: BlobStore;
  close(): Promise<void>;
}

const SQLITE = /^sqlite:(.+)$/s;
const NATS = /^(nats|tls):\/\//;
const JOBS = /\.jobs$/;

/**
 * Open a queue, wherever it is.
 *
 * @param url  `sqlite:FILE`, with its blobs in a folder beside it: those of `node.db.jobs` are in `node.db.blobs`,
 *   those of any other `FILE` in `FILE.job-blobs`. Or
 *   `nats://[USER:PASSWORD@|TOKEN@]HOST:PORT[,HOST:PORT…]`, `tls://…`: both in JetStream
 * @param pace  other than the default: for those who take jobs
 * @throws {JobError} `bad-queue` for a URL of something else, `queue-version`, `queue-away`, `disk-full`
 */
export async function openQueue(url: string, clock: Clock, pace: Partial<QueuePace> = {}): Promise<OpenQueue> {
  if (NATS.test(url)) return openInNats(url, clock, { ...DEFAULT_PACE, ...pace });
  const file = SQLITE.exec(url)?.[1];
  if (file === undefined) throw new JobError("bad-queue", `queue ${url}`, "give sqlite:FILE or nats://HOST:PORT");
  const queue = await SqliteQueue.open(file, { clock, pace: { ...DEFAULT_PACE, ...pace } });
  const blobs = new FileBlobs(blobFolderOf(file));
  return {
    queue,
    blobs,
    close: async () => {
      await queue.close();
      await blobs.close();
    },
  };
}

/** Each file has a folder of its own: one queue's garbage is another's input. */
function blobFolderOf(file: string): string {
  return JOBS.test(file) ? file.replace(JOBS, ".blobs") : `${file}.job-blobs`;
}

async function openInNats(url: string, clock: Clock, pace: QueuePace): Promise<OpenQueue> {
  // Only now: whoever keeps his jobs in a file loads nothing of NATS.
  const { openNatsLink } = await import("./nats-link.ts");
  const { JetStreamQueue } = await import("./jetstream-queue.ts");
  const { JetStreamBlobs } = await import("./jetstream-blobs.ts");
  const link = await openNatsLink(url);
  try {
    const queue = await JetStreamQueue.open(link, { clock, pace });
    const blobs = await JetStreamBlobs.open(link, { clock });
    return {
      queue,
      blobs,
      close: async () => {
        await queue.close();
        await blobs.close();
        await link.connection.close();
      },
    };
  } catch (error) {
    await link.connection.close();
    throw error;
  }
}
