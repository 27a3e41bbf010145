import { spawn } from "node:child_process";

/**
 * Waits for a line on its standard input. There is one when the program has ended; where the input ends without one, the
 * Node at its other end is gone, and whatever way it went, what it left is ended and removed.
 */
const SCRIPT = 'read -r line && exit; kill -KILL "$1"; [ -z "$2" ] || rm -rf -- "$2"';

/**
 * Have a child process ended when this process ends in whatever way, SIGKILL among them: by a shell of its own, which
 * knows the child by its process id, and is no member of this one's group.
 *
 * @param pid     of the child
 * @param folder  removed with it; none: ""
 * @returns to be called as soon as the child has ended: its process id may be another's afterwards
 */
export function watchOver(pid: number, folder = ""): () => void {
  if (process.platform === "win32") return () => {};
  const stdio = ["pipe", "ignore", "ignore"] as const;
  const watchdog = spawn("/bin/sh", ["-c", SCRIPT, "sh", String(pid), folder], { stdio: [...stdio], detached: true });
  // Where it cannot be started, or is ended by somebody else, all is as without it.
  watchdog.on("error", () => {});
  watchdog.stdin.on("error", () => {});
  // It keeps nothing alive: that this process ends is what it waits for.
  watchdog.unref();
  if ("unref" in watchdog.stdin && typeof watchdog.stdin.unref === "function") watchdog.stdin.unref();
  let isNeeded = true;
  return () => {
    if (isNeeded) watchdog.stdin.end("ended\n");
    isNeeded = false;
  };
}
