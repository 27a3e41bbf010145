import type { ChildProcess } from "node:child_process";
import { beforeProcessEnds } from "./process-end.ts";
import type { Watchdog } from "./watchdog.ts";

/**
 * Have a child end when this process ends: at an exit and a signal by its own hand, at SIGKILL by the watchdog's. To be
 * called as soon as the child was started, or could not be.
 *
 * @param watchdog  dismissed once the child has ended; none: SIGKILL leaves the child running
 */
export function endWithThisProcess(child: ChildProcess, watchdog?: Watchdog): void {
  if (child.pid === undefined) {
    watchdog?.dismiss();
    return;
  }
  watchdog?.over(child.pid);
  const forget = beforeProcessEnds(() => {
    child.kill("SIGKILL");
    watchdog?.dismiss();
  });
  child.on("exit", () => {
    forget();
    watchdog?.dismiss();
  });
}
