/**
 * The devices of the demo, in a process of their own: what they cost can be told apart from what the cloud costs, and
 * the cloud never sees their original values. Started by `edge-host.ts`, spoken to over IPC.
 */
import { systemClock, systemRandom } from "@lockstep/edge-sdk";
import { EdgeDevices } from "./edge-devices.ts";
import type { EdgeOrder, EdgeReport } from "./edge-messages.ts";

const report = (message: EdgeReport): void => {
  if (process.connected) process.send?.(message);
};
const devices = new EdgeDevices(systemClock(), systemRandom(), report);

// Ctrl-C reaches every process of the terminal; this one ends when its parent says so, or is gone.
process.on("SIGINT", () => {}).on("SIGTERM", () => {});
process.on("disconnect", () => process.exit());
process.on("message", (order: EdgeOrder) => {
  devices.obey(order).catch((error: unknown) => {
    report({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  });
});
