import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";

/** Signals that end a process unless it says otherwise. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

interface Life {
  readonly child: ChildProcess;
  readonly folder: string | null;
}

/** What this process must end before it ends itself: it is the process that has children, hence one set for all. */
const living = new Set<Life>();

/**
 * Have a child ended, by its own id, when this process exits or is ended by a signal; and its folder removed.
 *
 * A signal does then what it would have done: its default, or what the program's own listeners do.
 *
 * @param folder  of the child's own, null for none
 * @returns to be called once the child has ended: removes the folder and forgets it
 */
export function endWithProcess(child: ChildProcess, folder: string | null): () => void {
  const life = { child, folder };
  if (living.size === 0) {
    process.on("exit", endAll);
    for (const signal of ENDING) process.on(signal, endBySignal);
  }
  living.add(life);
  return () => {
    removeFolder(life);
    living.delete(life);
    if (living.size === 0) stopListening();
  };
}

function endAll(): void {
  for (const life of living) {
    life.child.kill("SIGKILL");
    removeFolder(life);
  }
  living.clear();
}

function endBySignal(signal: NodeJS.Signals): void {
  endAll();
  stopListening();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function stopListening(): void {
  process.off("exit", endAll);
  for (const signal of ENDING) process.off(signal, endBySignal);
}

function removeFolder({ folder }: Life): void {
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
}
