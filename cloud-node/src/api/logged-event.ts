import type { NodeEvent } from "../reconstructor/node-event.ts";
import type { AlertChange } from "./alert-book.ts";

/** How bad an event is. */
export const EVENT_LEVELS = ["info", "warn", "bad"] as const;
export type EventLevel = (typeof EVENT_LEVELS)[number];

/** What people are told: what the node tells, samples confirmed left out, and alerts. */
export type LoggedEvent =
  | Exclude<NodeEvent, { readonly kind: "confirmed" }>
  | ({ readonly kind: "alert"; readonly device: string | null } & Pick<AlertChange, "text" | "isOpen"> & {
        readonly alert: AlertChange["kind"];
      });
