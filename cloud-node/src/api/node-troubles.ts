import type { Troubles } from "./alert-book.ts";
import type { AlertKind } from "./alert-kinds.ts";
import { formatQuantity } from "./number-text.ts";

/** Commits that take longer than this hold acknowledgements back noticeably. */
const SLOW_COMMIT_MS = 1_000;

/**
 * What is wrong with the node itself, each in one phrase.
 *
 * @param slowestCommitMs  of the last seconds
 */
export function nodeTroubles(
  { store, broker }: { readonly store: string | null; readonly broker: string | null },
  slowestCommitMs: number,
): Troubles {
  const troubles = new Map<AlertKind, string>();
  if (store !== null) troubles.set("store-failing", store);
  if (broker !== null) troubles.set("broker-away", broker);
  if (slowestCommitMs > SLOW_COMMIT_MS) {
    troubles.set("store-slow", `commits take ${formatQuantity(slowestCommitMs / 1000, "s", "up")}`);
  }
  return troubles;
}
