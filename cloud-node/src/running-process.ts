/** Whether a process of this number runs on this machine, whoever's it is. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's may not be asked.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
