import type { ShardedBackend } from "../language-model/open-backend.ts";

/** What a piece of work is given beside its files: it computes with this, listens to this, and tells these. */
export interface RunHooks {
  /** Of one shard. */
  backend(): Promise<ShardedBackend>;
  /** Monotonic, ms: for what people read, and for no file that counts. */
  nowMs(): number;
  readonly signal: AbortSignal;
  /** @param fraction  0 … 1 of this piece */
  onProgress(fraction: number, note: string): void;
  /** What should be kept: a spike, a roll-back, a retry. */
  onLog(line: string): void;
  /** Also the sign that the work goes on: memory is looked at. */
  onLoss(step: number, loss: number): void;
}
