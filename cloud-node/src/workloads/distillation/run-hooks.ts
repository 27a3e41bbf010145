import type { ShardedBackend } from "../language-model/open-backend.ts";
import type { GateAnswer } from "./gate-messages.ts";

/** What a piece of work is given beside its files: it computes with this, listens to this, and tells these. */
export interface RunHooks {
  /** @param shards  parts of a batch that are computed by themselves; 1 unless given */
  backend(shards?: number): Promise<ShardedBackend>;
  /** Monotonic, ms: for what people read, and for no file that counts. */
  nowMs(): number;
  readonly signal: AbortSignal;
  /** @param fraction  0 … 1 of this piece */
  onProgress(fraction: number, note: string): void;
  /** What should be kept: a spike, a roll-back, a retry. */
  onLog(line: string): void;
  /** Also the sign that the work goes on: memory is looked at. */
  onLoss(step: number, loss: number): void;
  /** How a process that asked a student by itself was kept from others, and MiB of memory that it took at most. */
  onAlone?(found: Pick<GateAnswer, "network" | "peakMB">): void;
}
