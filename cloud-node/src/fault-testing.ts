/**
 * A node that breaks the promise on purpose, so that a test can show that the suite which guards it would notice. It is
 * reached by its own subpath, which no command imports.
 *
 * @packageDocumentation
 */
import type { Clock } from "./clock.ts";
import { openQueue } from "./jobs/open-queue.ts";
import { CloudNode } from "./node.ts";
import type { CloudNodeOptions } from "./node-options.ts";
import type { Store } from "./store/store.ts";

/** Of a blob, at once. */
const PART_BYTES = 65_536;

/**
 * Open a node that acknowledges what it has handed to the store, without waiting for the commit.
 *
 * @param commitDelayMs  how long after its acknowledgement each commit comes, ms: the longer, the surer that a kill falls
 *   in between
 */
export function openAckingBeforeCommit(
  options: CloudNodeOptions,
  { commitDelayMs = 0 }: { readonly commitDelayMs?: number } = {},
): Promise<CloudNode> {
  const pause = () => new Promise<void>((resolve) => options.clock.setTimer(resolve, commitDelayMs));
  return CloudNode.openWith(options, { store: (store) => ackBeforeCommit(store, pause) });
}

/**
 * Open a node on a disk that is full when the store has so many pages; pages that something else frees in the same file
 * can be used again, as on a disk.
 */
export function openOnSmallDisk(options: CloudNodeOptions, maxPages: number): Promise<CloudNode> {
  return CloudNode.openWith(options, { maxPages });
}

/** Commits one after the other behind the caller's back, each after a pause, and says at once that they are durable. */
function ackBeforeCommit(store: Store, pause: () => Promise<void>): Store {
  let last: Promise<unknown> = Promise.resolve();
  return {
    reader: store.reader,
    commit: (batch) => {
      last = Promise.all([last, pause()])
        .then(() => store.commit(batch))
        .catch(() => {});
      return Promise.resolve({ exceptions: [] });
    },
    retain: (rules) => store.retain(rules),
    close: async () => {
      await last;
      await store.close();
    },
  };
}

/** Open a node on a disk on which every commit takes so much longer, ms: for its behaviour under more than it can store. */
export function openOnSlowDisk(options: CloudNodeOptions, commitMs: number): Promise<CloudNode> {
  const pause = () => new Promise<void>((resolve) => options.clock.setTimer(resolve, commitMs));
  return CloudNode.openWith(options, {
    store: (store) => ({
      reader: store.reader,
      commit: (batch) => pause().then(() => store.commit(batch)),
      retain: (rules) => store.retain(rules),
      close: () => store.close(),
    }),
  });
}

/** What became of a blob and of the job that names it: "kept", or the code of what was wrong. */
export interface KeptJobReport {
  readonly blob: string;
  readonly job: string;
}

/**
 * Open a queue in a file without a node, for tests of the disk below it.
 *
 * @returns puts a blob of so many bytes and hands in a job that names it; the same number is the same job
 */
export async function openJobsAlone(
  file: string,
  clock: Clock,
): Promise<(number: number, bytes: number) => Promise<KeptJobReport>> {
  const { queue, blobs } = await openQueue(`sqlite:${file}`, clock);
  const verdict = (act: Promise<unknown>) =>
    act.then(
      () => "kept",
      ({ code }: { code?: string }) => code ?? "failed",
    );
  return async (number, bytes) => {
    const content = Buffer.alloc(bytes, `${number} `);
    const source = async function* (from: number) {
      for (let at = from; at < bytes; at += PART_BYTES) yield content.subarray(at, at + PART_BYTES);
    };
    const spec = { workload: "toy", params: { number }, inputs: [], salt: "" };
    return { blob: await verdict(blobs.put(source)), job: await verdict(queue.submit(spec)) };
  };
}
