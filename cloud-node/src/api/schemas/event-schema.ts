import { type Static, Type } from "typebox";
import { EVENT_LEVELS } from "../logged-event.ts";
import { closedObject, nullableString } from "./nullable.ts";

const EVENT_KINDS = [
  "born",
  "online",
  "offline",
  "gap-pending",
  "gap-lost",
  "resync",
  "conflict",
  "saturated",
  "invalid",
  "refused",
  "unproven",
  "store-damaged",
  "store-failed",
  "update",
  "alert",
] as const;

/** Something that happened. */
const EventSchema = Type.Object(
  {
    id: Type.Number({ description: "rises from event to event, over restarts too" }),
    unixUs: Type.Number({ description: "when the node told it, µs" }),
    kind: Type.Enum([...EVENT_KINDS]),
    device: nullableString("null: the node itself"),
    level: Type.Enum([...EVENT_LEVELS]),
    text: Type.String({ description: "what it means, and what to do" }),
    epoch: Type.Optional(Type.Number({ description: "boot of the device" })),
    isNewEpoch: Type.Optional(Type.Boolean()),
    seq: Type.Optional(Type.Number({ description: "frame" })),
    from: Type.Optional(Type.Number({ description: "first frame" })),
    through: Type.Optional(Type.Number({ description: "last frame" })),
    count: Type.Optional(Type.Number({ description: "frames, or values of one channel" })),
    samples: Type.Optional(Type.Number()),
    reason: Type.Optional(Type.String()),
    code: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
    step: Type.Optional(Type.String({ description: "which step an update of the device came to" })),
    version: Type.Optional(Type.String({ description: "that it is updated to" })),
    alert: Type.Optional(Type.String({ description: "which alert" })),
    isOpen: Type.Optional(Type.Boolean({ description: "whether the alert began or ended" })),
  },
  { additionalProperties: false, description: "Something that happened." },
);
export type ApiEvent = Static<typeof EventSchema>;

/** Events, oldest first. */
export const EventPageSchema = closedObject(
  {
    lastId: Type.Number({ description: "of the newest event there is: give it as `since` to go on" }),
    events: Type.Array(EventSchema),
  },
  "Events, oldest first.",
);
