import { join } from "node:path";
import { InvariantError } from "../../invariant-error.ts";
import type { StepEvidence } from "./evidence.ts";
import { MemoryGuard } from "./memory-guard.ts";
import type { RunHooks } from "./run-hooks.ts";
import type { Step } from "./step.ts";
import type { StepRunner } from "./step-output.ts";

/** What every step that runs in this process is given. */
export interface StepSurroundings {
  readonly backend: RunHooks["backend"];
  readonly nowMs: () => number;
  /** Of this process, bytes. */
  readonly residentBytes: () => number;
  readonly signal: AbortSignal;
  readonly memoryMB: number;
  onProgress(step: Step, fraction: number, note: string): void;
  onLog(step: Step, line: string): void;
  onLoss(step: Step, at: number, loss: number): void;
}

/**
 * Runs steps in this process, with their memory watched.
 *
 * @throws {DistillationError} `memory-limit`; and as the steps
 */
export function stepsHere(around: StepSurroundings): StepRunner {
  return async (step, root, out) => {
    const guard = new MemoryGuard(around.memoryMB, around.residentBytes, around.signal);
    const startedMs = around.nowMs();
    const alone: Parameters<NonNullable<RunHooks["onAlone"]>>[0][] = [];
    const look = () => {
      guard.look();
      guard.signal.throwIfAborted();
    };
    const hooks: RunHooks = {
      backend: around.backend,
      nowMs: around.nowMs,
      signal: guard.signal,
      onProgress: (fraction, note) => {
        look();
        around.onProgress(step, fraction, note);
      },
      onLog: (line) => around.onLog(step, line),
      onLoss: (at, loss) => {
        look();
        around.onLoss(step, at, loss);
      },
      onAlone: (found) => void alone.push(found),
    };
    try {
      look();
      const facts = await step.run({ in: (input) => declared(step, root, input), root, out }, hooks);
      look();
      const measured: StepEvidence["measured"] = {
        seconds: Math.round(around.nowMs() - startedMs) / 1000,
        peakMB: Math.max(guard.peakMB, ...alone.map(({ peakMB }) => peakMB)),
        ...(alone[0] === undefined ? {} : { network: alone[0].network }),
      };
      return { facts, measured };
    } finally {
      guard.close();
    }
  };
}

/** What a step did not declare, a worker elsewhere would not have. */
function declared(step: Step, root: string, input: string): string {
  if (step.inputs.includes(input)) return join(root, input);
  throw new InvariantError(`distillation: ${step.name} asks for ${input}, which it did not declare`);
}
