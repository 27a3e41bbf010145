import { InvariantError } from "../invariant-error.ts";
import { StoreError, type StoreErrorCode } from "../store/store-error.ts";
import { HistoryError, type HistoryErrorCode } from "./history-error.ts";

/** An error on its way to the thread that asked. */
export interface HistoryFailure {
  readonly from: "store" | "history" | "other";
  readonly code: StoreErrorCode | HistoryErrorCode | "";
  readonly facts: Readonly<Record<string, string | number>>;
  readonly message: string;
}

/** What a message can carry of an error. */
export function packFailure(error: unknown): HistoryFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof StoreError) return { from: "store", code: error.code, facts: error.facts, message };
  if (error instanceof HistoryError) return { from: "history", code: error.code, facts: error.facts, message };
  return { from: "other", code: "", facts: {}, message };
}

/** Mirrors `packFailure`: an error of the same class, code and facts; {InvariantError} for any other. */
export function unpackFailure({ from, code, facts, message }: HistoryFailure): Error {
  if (from === "store") return new StoreError(code as StoreErrorCode, facts);
  return from === "history" ? new HistoryError(code as HistoryErrorCode, facts) : new InvariantError(message);
}
