import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

/** How long a child that was told to stop may clean up after itself. */
const GRACE_MS = 15_000;

/** How a child ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It took longer than it may. */
  readonly isLate: boolean;
}

export interface ChildOrder {
  readonly args: readonly string[];
  readonly cwd: string;
  /** Where all that it says goes. */
  readonly log: string;
  /** Its own, and its children's, to be removed behind them. */
  readonly scratch: string;
  readonly mostMs: number;
  readonly stop: AbortSignal;
}

/**
 * Run this Node with arguments, in a process group of its own: what it starts ends with it, however it ends.
 *
 * @returns once nothing of it runs any more
 */
export async function runChild({ args, cwd, log, scratch, mostMs, stop }: ChildOrder): Promise<ChildEnd> {
  const output = openSync(log, "w");
  const child = spawn(process.execPath, args, {
    cwd,
    detached: true,
    stdio: ["ignore", output, output],
    env: { ...process.env, TMPDIR: scratch },
  });
  closeSync(output);
  let isLate = false;
  let killer: NodeJS.Timeout | undefined;
  const end = (): void => {
    signalGroup(child, "SIGINT");
    killer ??= setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS);
  };
  const limit = Number.isFinite(mostMs)
    ? setTimeout(() => {
        isLate = true;
        end();
      }, mostMs)
    : undefined;
  stop.addEventListener("abort", end);
  if (stop.aborted) end();
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve({ code, signal, isLate }));
    });
  } finally {
    clearTimeout(limit);
    clearTimeout(killer);
    stop.removeEventListener("abort", end);
    signalGroup(child, "SIGKILL");
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Nobody is left in it
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
