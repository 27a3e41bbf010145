import * as v from "valibot";

/** Where the update of one device stands; the last five are ends. */
export const UPDATE_STEPS = [
  "queued",
  "asking",
  "sending",
  "verifying",
  "switching",
  "trying",
  "done",
  "failed",
  "reverted",
  "cancelled",
  "skipped",
] as const;
export type UpdateStep = (typeof UPDATE_STEPS)[number];

/** Devices of a roll-out: with more it would be a file too large to write at every step. */
export const MOST_DEVICES = 10_000;

const FIRST_END = UPDATE_STEPS.indexOf("done");

/** Whether nothing more happens to it. */
export function isOver(step: UpdateStep): boolean {
  return UPDATE_STEPS.indexOf(step) >= FIRST_END;
}

/** Whether a device did not come to run what it was given. */
export function isFailure(step: UpdateStep): boolean {
  return step === "failed" || step === "reverted";
}

const RECORD = v.object({
  device: v.string(),
  step: v.picklist(UPDATE_STEPS),
  /** What the device was told so far, at the most. */
  reached: v.picklist(["nothing", "begun", "activated"]),
  isCancelling: v.boolean(),
  /** Bytes of the body that it has, and that there are. */
  next: v.number(),
  length: v.number(),
  /** Its epoch when it was told to switch. */
  epochBefore: v.nullable(v.number()),
  /** By name: the device's, or ours. */
  verdict: v.nullable(v.string()),
  /** In plain words; "" while it goes on. */
  reason: v.string(),
  endedUs: v.nullable(v.number()),
});

/** What is kept of the update of one device. */
export type UpdateRecord = v.InferOutput<typeof RECORD>;

/** A device that waits for its turn. */
export function queuedRecord(device: string): UpdateRecord {
  return {
    device,
    step: "queued",
    reached: "nothing",
    isCancelling: false,
    next: 0,
    length: 0,
    epochBefore: null,
    verdict: null,
    reason: "",
    endedUs: null,
  };
}

/** Where a roll-out stands; the last three are ends. */
export const ROLLOUT_STATES = ["running", "done", "stopped", "cancelled"] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];

const ROLLOUT = v.object({
  format: v.literal(1),
  id: v.string(),
  createdUs: v.number(),
  endedUs: v.nullable(v.number()),
  state: v.picklist(ROLLOUT_STATES),
  /** Version as a text, model, form, target: of all packages alike. */
  version: v.string(),
  model: v.string(),
  form: v.picklist(["image", "module"]),
  target: v.string(),
  keyId: v.string(),
  /** SHA-256 of the packages' bytes: their file's name. */
  packages: v.string(),
  /** Percent of the devices that are updated before the next are begun, ascending, the last 100. */
  stages: v.array(v.number()),
  /** More than so many devices that failed or went back end it. */
  maxFailures: v.number(),
  devices: v.array(RECORD),
});

/** What is kept of a roll-out. */
export type RolloutRecord = v.InferOutput<typeof ROLLOUT>;

/** Read what was kept. @returns undefined for what this release never wrote */
export function parseRollout(text: string): RolloutRecord | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), ROLLOUT), text);
  return parsed.success ? parsed.output : undefined;
}
