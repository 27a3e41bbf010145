/** Signals that end a process unless it says otherwise. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What is to be done before this process ends: there is one process, hence one set. */
const pending = new Set<() => void>();

/**
 * Have something ended or removed when this process exits, or is ended by a signal.
 *
 * A signal does then what it would have done: its default, or what the program's own listeners do. SIGKILL is the
 * watchdog's affair.
 *
 * @param clean  synchronous; must not throw
 * @returns to be called once there is nothing left to clean
 */
export function beforeProcessEnds(clean: () => void): () => void {
  if (pending.size === 0) listen();
  // A set would take the same function once.
  const own = () => clean();
  pending.add(own);
  return () => {
    pending.delete(own);
    if (pending.size === 0) stopListening();
  };
}

function listen(): void {
  process.on("exit", cleanAll);
  for (const signal of ENDING) process.on(signal, endBySignal);
}

function stopListening(): void {
  process.off("exit", cleanAll);
  for (const signal of ENDING) process.off(signal, endBySignal);
}

function cleanAll(): void {
  for (const clean of pending) clean();
  pending.clear();
}

function endBySignal(signal: NodeJS.Signals): void {
  cleanAll();
  stopListening();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}
