import { type Static, Type } from "typebox";
import { ALERT_KINDS } from "../alert-kinds.ts";
import { DEVICE_STATES } from "../device-state.ts";
import { closedObject, nullableNumber, nullableString } from "./nullable.ts";

/** Something that needs a person. */
export const AlertSchema = closedObject(
  {
    kind: Type.Enum([...ALERT_KINDS]),
    text: Type.String({ description: "one phrase" }),
    sinceUs: Type.Number({ description: "Unix time at which the trouble began, µs" }),
  },
  "Something that needs a person.",
);

/** One row of the fleet table. */
const FleetRowSchema = closedObject(
  {
    id: Type.String(),
    state: Type.Enum([...DEVICE_STATES]),
    channels: Type.Array(Type.String(), { description: "names" }),
    samples: Type.Number({ description: "confirmed since this node started" }),
    lastDataUs: nullableNumber("Unix time of the last frame that stood for samples, µs"),
    behindMs: nullableNumber("now − time of the last confirmed sample, ms, both on the cloud's clock"),
    ratioPayload: nullableNumber("float32 bytes over payload bytes, last 24 h at most"),
    ratioIp: nullableNumber("the same of IP bytes, both directions, acknowledgements included"),
    errorShare: nullableNumber("largest error over eps; null where the truth is not known: then it is ≤ 1"),
    ringFill: Type.Number({ description: "0 … 1, as last reported" }),
    ringFullInS: nullableNumber(
      "of an offline device: seconds until its ring is full, then its oldest samples are lost",
    ),
    lostSamples: Type.Number({ description: "of this boot" }),
    lostGaps: Type.Number(),
    p99Ms: nullableNumber("from a frame's arrival to its commit, ms"),
    alerts: Type.Array(AlertSchema, { description: "open ones, worst first" }),
    recent: closedObject(
      {
        t0Us: Type.Number({ description: "cloud time of the first bucket's start, µs" }),
        widthUs: Type.Number(),
        min: Type.Array(Type.Unsafe<number | null>({ type: ["number", "null"] })),
        max: Type.Array(Type.Unsafe<number | null>({ type: ["number", "null"] })),
      },
      "The first channel over the last 5 min; null where no sample is confirmed.",
    ),
  },
  "One row of the fleet table.",
);
export type FleetRow = Static<typeof FleetRowSchema>;

/** The line above the table: of all devices, whatever the table shows. */
const FleetSummarySchema = closedObject(
  {
    nowUs: Type.Number({ description: "the cloud's Unix time, µs" }),
    mqttUrl: nullableString("where a device would connect; null without a broker"),
    devices: Type.Number(),
    needAction: Type.Number({ description: "in state fault or offline" }),
    catchingUp: Type.Number(),
    quiet: Type.Number(),
    live: Type.Number(),
    ratioIp: nullableNumber("raw over sent IP bytes of all devices, last 24 h at most"),
    beyondEps: Type.Number({ description: "channel-samples found beyond eps" }),
    compared: Type.Number({ description: "channel-samples compared with the truth" }),
    alerts: Type.Array(AlertSchema, { description: "of the node itself" }),
  },
  "The line above the table: of all devices, whatever the table shows.",
);
export type FleetSummary = Static<typeof FleetSummarySchema>;

/** One page of the fleet table. */
export const FleetPageSchema = closedObject(
  {
    summary: FleetSummarySchema,
    matched: Type.Number({ description: "devices that the search and the filter leave" }),
    page: Type.Number({ description: "from 0" }),
    pages: Type.Number(),
    rows: Type.Array(FleetRowSchema),
  },
  "One page of the fleet table.",
);
export type FleetPage = Static<typeof FleetPageSchema>;

/** Columns that the table can be sorted by. */
const FLEET_SORTS = ["severity", "name", "last-frame", "behind", "saved", "error", "ring", "lost"] as const;
export type FleetSort = (typeof FLEET_SORTS)[number];

/** Rows of one page at most. */
const MAX_PAGE_ROWS = 500;
const DEFAULT_PAGE_ROWS = 50;

/** What part of the table to show. */
export const FleetViewSchema = {
  search: Type.String({ maxLength: 64, default: "", description: "part of a device's name, in any case" }),
  state: Type.Optional(
    Type.String({
      maxLength: 64,
      pattern: `^(${DEVICE_STATES.join("|")})(,(${DEVICE_STATES.join("|")}))*$`,
      description: `states to show, with commas between: ${DEVICE_STATES.join(", ")}`,
    }),
  ),
  sort: Type.Enum([...FLEET_SORTS], { default: "severity", description: "severity: worst first, then by name" }),
  order: Type.Enum(["asc", "desc"], { default: "asc", description: "of severity and names; worst first elsewhere" }),
  page: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
  rows: Type.Integer({ minimum: 1, maximum: MAX_PAGE_ROWS, default: DEFAULT_PAGE_ROWS, description: "per page" }),
};
const FleetViewObject = Type.Object(FleetViewSchema);
export type FleetView = Static<typeof FleetViewObject>;
