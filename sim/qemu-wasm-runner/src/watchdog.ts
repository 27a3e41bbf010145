import { spawn } from "node:child_process";

/**
 * Reads the process id of a program, then a line that comes when the program has ended. Where the input ends first, the
 * Node at its other end is gone, and whatever way it went, what it left is ended and removed.
 */
const SCRIPT = 'read -r pid && read -r line && exit; [ -z "$pid" ] || kill -KILL "$pid"; [ -z "$1" ] || rm -rf -- "$1"';

/** Ends a child process, and removes its folder, when this process ends in whatever way, SIGKILL among them. */
export interface Watchdog {
  /** To be called once, as soon as the child runs. @param pid  its process id */
  over(pid: number): void;
  /** To be called as soon as the child has ended, or never came to be: its process id may be another's afterwards. */
  dismiss(): void;
}

/**
 * Start a watchdog: a shell of its own, which knows the child by its process id, and is no member of this one's group.
 * Started before the child, it leaves no moment in which the folder is nobody's.
 *
 * @param folder  removed with the child; none: ""
 */
export function startWatchdog(folder = ""): Watchdog {
  if (process.platform === "win32") return { over() {}, dismiss() {} };
  const stdio = ["pipe", "ignore", "ignore"] as const;
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "sh", folder], { stdio: [...stdio], detached: true });
  // Where it cannot be started, or is ended by somebody else, all is as without it.
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  // It keeps nothing alive: that this process ends is what it waits for.
  shell.unref();
  if ("unref" in shell.stdin && typeof shell.stdin.unref === "function") shell.stdin.unref();
  let isTold = false;
  let isNeeded = true;
  return {
    over(pid) {
      shell.stdin.write(`${pid}\n`);
      isTold = true;
    },
    dismiss() {
      if (isNeeded) shell.stdin.end(isTold ? "ended\n" : "\nended\n");
      isNeeded = false;
    },
  };
}
