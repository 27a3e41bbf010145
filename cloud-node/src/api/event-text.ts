import type { RefusedDevice } from "../reconstructor/refused-device.ts";
import type { EventLevel, LoggedEvent } from "./logged-event.ts";
import { formatCounted } from "./number-text.ts";

/** What an event means, and what to do about it where there is something to do. */
export function eventText(event: LoggedEvent): { readonly level: EventLevel; readonly text: string } {
  switch (event.kind) {
    case "born":
      return info(event.isNewEpoch ? `booted, epoch ${event.epoch}` : "introduced itself again");
    case "online":
      return info("online");
    case "offline":
      return { level: "warn", text: "offline: its link or its power is gone; it keeps what it measures in its ring" };
    case "gap-pending":
      return info(`${formatCounted(event.count, "frame")} missing, asked for again`);
    case "gap-lost":
      return bad(`${formatCounted(event.samples, "sample")} lost: ${LOST[event.reason]}`);
    case "resync":
      return { level: "warn", text: `asked to start afresh: ${event.reason}` };
    case "conflict":
      return bad(`sent other bytes for frame ${event.seq}; not stored: is its name used twice?`);
    case "saturated":
      return { level: "warn", text: `${formatCounted(event.count, "value")} clipped: widen the channel's range` };
    case "invalid":
      return { level: "warn", text: `${formatCounted(event.count, "reading")} missing at the sensor` };
    case "refused":
      return bad(`refused: ${refusalText(event.reason)}`);
    case "unproven":
      return bad(`${formatCounted(event.count, "frame")} refused: ${refusalText(event.code)}`);
    case "store-damaged":
      return bad(`${DAMAGED}; ${event.message}`);
    case "store-failed":
      return bad(`store: ${event.message}`);
    case "update":
      return updateText(event);
    case "alert":
      return event.isOpen ? bad(event.text) : info(`over: ${event.text}`);
  }
}

/** Why a device is not taken in, and what to do. */
export function refusalText(reason: RefusedDevice["reason"]): string {
  switch (reason) {
    case "unknown-model":
      return "unknown-model; register its device.wasm with --module";
    case "no-mac":
      return "no-mac; it has a key and does not use it: put the key into the device, unless somebody else speaks in its name";
    case "bad-mac":
      return "bad-mac; made with another key, or changed on the way: is its key the one that the node has?";
    case "replayed-birth":
    case "replayed-status":
      return `${reason}; of a boot that is over: somebody repeats what it said, or a broker kept it`;
    default:
      return reason;
  }
}

/** Why nothing of a device is stored. */
export const DAMAGED =
  "not stored: its part of the store is damaged; restore a copy, it keeps what its ring has room for";

/** What came of an update of a device so far. */
function updateText({ step, version, reason }: Extract<LoggedEvent, { readonly kind: "update" }>) {
  if (step === "failed") return bad(`update to ${version} failed: ${reason}`);
  if (step === "reverted") return bad(`update to ${version} went back: ${reason}`);
  if (step === "sending") return info(`update to ${version} is being sent`);
  if (step === "switching") return info(`update to ${version} is there and proven; it switches`);
  return info(`update to ${version}: ${step === "done" ? "done" : reason}`);
}

const LOST = {
  evicted: "overwritten in its ring while it was out of reach",
  "state-mismatch": "both ends had parted, and began afresh",
  "unknown-birth": "coded with a birth that never came",
} as const;

function info(text: string): { readonly level: EventLevel; readonly text: string } {
  return { level: "info", text };
}

function bad(text: string): { readonly level: EventLevel; readonly text: string } {
  return { level: "bad", text };
}
