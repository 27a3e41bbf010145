import type { Troubles } from "./alert-book.ts";
import type { AlertKind } from "./alert-kinds.ts";
import type { ApiLoad } from "./api-node.ts";
import { formatCounted, formatQuantity } from "./number-text.ts";

/** Commits that take longer than this hold acknowledgements back noticeably. */
const SLOW_COMMIT_MS = 1_000;
/** A thread that was late once holds devices back for less. */
const HELD_MS = 50;

/**
 * What is wrong with the node itself, each in one phrase.
 *
 * @param slowestCommitMs  of the last seconds
 * @param load  what waits, and whether devices are held back for it
 * @param heldRecentlyMs  how long they were since the last look
 */
export function nodeTroubles(
  { store, broker }: { readonly store: string | null; readonly broker: string | null },
  slowestCommitMs: number,
  { causes, waitingFrames }: Pick<ApiLoad, "causes" | "waitingFrames">,
  heldRecentlyMs: number,
): Troubles {
  const troubles = new Map<AlertKind, string>();
  if (store !== null) troubles.set("store-failing", store);
  if (broker !== null) troubles.set("broker-away", broker);
  if (slowestCommitMs > SLOW_COMMIT_MS) {
    troubles.set("store-slow", `commits take ${formatQuantity(slowestCommitMs / 1000, "s", "up")}`);
  }
  if (causes.includes("store")) {
    troubles.set("overloaded", `devices are held back: ${formatCounted(waitingFrames, "frame")} wait for the disk`);
  } else if (causes.length > 0 || heldRecentlyMs > HELD_MS) {
    troubles.set("overloaded", "devices are held back: more comes than this node takes");
  }
  return troubles;
}
