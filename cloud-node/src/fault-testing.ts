/**
 * A node that breaks the promise on purpose, so that a test can show that the suite which guards it would notice. It is
 * reached by its own subpath, which no command imports.
 *
 * @packageDocumentation
 */
import { CloudNode, type CloudNodeOptions } from "./node.ts";
import type { Store } from "./store/store.ts";

/** Open a node that acknowledges what it has handed to the store, without waiting for the commit. */
export function openAckingBeforeCommit(options: CloudNodeOptions): Promise<CloudNode> {
  return CloudNode.openWith(options, { store: ackBeforeCommit });
}

/** Commits one after the other behind the caller's back, and says at once that they are durable. */
function ackBeforeCommit(store: Store): Store {
  let last: Promise<unknown> = Promise.resolve();
  return {
    reader: store.reader,
    commit: (batch) => {
      last = last.then(() => store.commit(batch)).catch(() => {});
      return Promise.resolve({ exceptions: [] });
    },
    close: async () => {
      await last;
      await store.close();
    },
  };
}
