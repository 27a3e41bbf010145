import { type Static, Type } from "typebox";
import { REFUSAL_CODES } from "../../flash/preflight.ts";
import { MOST_DEVICES, ROLLOUT_STATES, UPDATE_STEPS } from "../../flash/update-record.ts";
import { closedObject, nullableNumber, nullableString } from "./nullable.ts";

const FORM = Type.Enum(["image", "module"]);
const VERSION = Type.String({ description: "as 1.2.3" });
const MODEL = Type.String({ description: "SHA-256 of the module" });

/** What a device says of itself. */
const StateSchema = closedObject(
  {
    phase: Type.String({ description: "idle, erasing, receiving, verifying, ready, switching, trying or reverting" }),
    version: VERSION,
    form: FORM,
    model: MODEL,
    slot: Type.Number({ description: "that runs; 255: what came with the firmware" }),
    confirmedVersion: VERSION,
    slotBytes: Type.Number({ description: "largest body it takes" }),
    target: Type.String({ description: "what a package for it must name" }),
    abi: Type.Number(),
    keys: Type.Array(Type.String(), { description: "ids of the keys that it trusts" }),
    verdict: nullableString("why its last update was refused or went back"),
    verdictText: nullableString("the same in words"),
    traps: Type.Number({ description: "times that what it ran trapped or hung" }),
    stackHighWater: Type.Number({ description: "bytes; 0 where it is not measured" }),
  },
  "What a device says of itself.",
);
export type StateAnswer = Static<typeof StateSchema>;

const DeviceStepSchema = closedObject(
  {
    device: Type.String(),
    step: Type.Enum([...UPDATE_STEPS]),
    share: Type.Number({ description: "0 … 1 of the body that the device has" }),
    verdict: nullableString("by name, where it failed or went back"),
    reason: Type.String({ description: "why it ended, in words; empty before" }),
    endedUs: nullableNumber("Unix time, µs"),
  },
  "The update of one device.",
);

const CountsSchema = closedObject(
  {
    all: Type.Number(),
    running: Type.Number({ description: "not over yet" }),
    done: Type.Number({ description: "run the new one" }),
    failed: Type.Number({ description: "failed or went back" }),
  },
  "How many devices it has, and how they stand; the rest was called off or skipped.",
);
const ABOUT = {
  id: Type.String(),
  state: Type.Enum([...ROLLOUT_STATES], { description: "stopped: too many devices failed" }),
  version: VERSION,
  form: FORM,
  model: MODEL,
  target: Type.String(),
  keyId: Type.String({ description: "of the key that signed it" }),
  createdUs: Type.Number({ description: "Unix time, µs" }),
  endedUs: nullableNumber("Unix time, µs"),
  stages: Type.Array(Type.Number(), { description: "percent of the devices" }),
  maxFailures: Type.Number(),
  counts: CountsSchema,
};

/** A package on its way to devices, each of them by name. */
export const UpdateSchema = closedObject(
  {
    ...ABOUT,
    devices: Type.Array(DeviceStepSchema, {
      maxItems: MOST_DEVICES,
      description: "in the order in which they are updated",
    }),
  },
  "A package on its way to devices, each of them by name.",
);
export type UpdateAnswer = Static<typeof UpdateSchema>;

const UpdateSummarySchema = closedObject(ABOUT, "A package on its way to devices.");
export type UpdateSummary = Static<typeof UpdateSummarySchema>;

/** A page of those that are remembered. */
export const UpdatesSchema = closedObject(
  {
    updates: Type.Array(UpdateSummarySchema, { description: "newest first" }),
    next: nullableString("`cursor` of the next page; null: this is the last one"),
  },
  "A page of the updates that are remembered.",
);
export type UpdatesAnswer = Static<typeof UpdatesSchema>;

/** How a device stands with updates. */
export const DeviceUpdateSchema = closedObject(
  {
    id: Type.String(),
    isAnswering: Type.Boolean({ description: "whether it answered just now" }),
    state: Type.Union([StateSchema, Type.Null()]),
    update: Type.Union([UpdateSchema, Type.Null()], { description: "the newest that it is or was part of" }),
  },
  "How a device stands with updates.",
);

/** Whom a package can be given to. */
export const UpdateCheckSchema = closedObject(
  {
    version: VERSION,
    form: FORM,
    model: MODEL,
    target: Type.String(),
    keyId: Type.String(),
    bytes: Type.Number({ description: "of the longest body" }),
    isFit: Type.Boolean({ description: "whether all of them can be given it" }),
    unmatched: Type.Array(Type.String(), { description: "patterns that fit no device" }),
    devices: Type.Array(
      closedObject(
        {
          device: Type.String(),
          isFit: Type.Boolean(),
          isCurrent: Type.Boolean({ description: "it runs this version, form and model already: nothing is sent" }),
          refusals: Type.Array(
            closedObject({ code: Type.Enum([...REFUSAL_CODES]), text: Type.String() }, "One reason, and what to do."),
          ),
          state: Type.Union([StateSchema, Type.Null()]),
        },
        "Whether one device can be given it.",
      ),
    ),
  },
  "Whom a package can be given to.",
);
export type UpdateCheckAnswer = Static<typeof UpdateCheckSchema>;
