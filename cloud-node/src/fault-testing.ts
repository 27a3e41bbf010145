/**
 * A node that breaks the promise on purpose, so that a test can show that the suite which guards it would notice. It is
 * reached by its own subpath, which no command imports.
 *
 * @packageDocumentation
 */
import { CloudNode } from "./node.ts";
import type { CloudNodeOptions } from "./node-options.ts";
import type { Store } from "./store/store.ts";

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
