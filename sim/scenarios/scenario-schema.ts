import * as v from "valibot";
import { FIRMWARE_BOARDS } from "../firmware/firmware-build.ts";
import { FIRMWARE_NAMES } from "../firmware/firmware-device.ts";
import type { Scenario } from "./scenario.ts";

const POSITIVE = v.pipe(v.number(), v.gtValue(0));
const NOT_NEGATIVE = v.pipe(v.number(), v.minValue(0));
const COUNT = v.pipe(v.number(), v.integer(), v.minValue(1));
const PROBABILITY = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const NAME = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,56}$/, "1 to 56 of A-Z a-z 0-9 _ -"));

const SIGNAL = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1)),
  omega: v.optional(v.number()),
  jitter: v.optional(NOT_NEGATIVE),
  rateHz: v.optional(POSITIVE),
  sigma: v.optional(NOT_NEGATIVE),
  channels: v.optional(v.pipe(COUNT, v.maxValue(16))),
  amplitude: v.optional(NOT_NEGATIVE),
  everyS: v.optional(POSITIVE),
  file: v.optional(v.string()),
});

const LINK = v.strictObject({
  loss: v.optional(PROBABILITY),
  duplicate: v.optional(PROBABILITY),
  reorder: v.optional(PROBABILITY),
  corrupt: v.optional(PROBABILITY),
  truncate: v.optional(PROBABILITY),
  delayMs: v.optional(NOT_NEGATIVE),
  jitterMs: v.optional(NOT_NEGATIVE),
  cuts: v.optional(v.array(v.strictObject({ fromS: NOT_NEGATIVE, toS: POSITIVE }))),
});

const SIGNAL_DEVICE = v.strictObject({
  id: NAME,
  count: v.optional(v.pipe(COUNT, v.maxValue(100_000))),
  transport: v.optional(v.picklist(["mqtt", "tcp"]), "mqtt"),
  signal: SIGNAL,
  eps: v.union([v.strictObject({ abs: NOT_NEGATIVE }), v.strictObject({ rel: POSITIVE })], "{ abs: … } or { rel: … }"),
  frameSamples: v.pipe(COUNT, v.maxValue(65_535)),
  silenceMs: v.optional(COUNT),
  ringBytes: v.optional(v.pipe(COUNT, v.minValue(1024))),
  mtu: v.optional(v.pipe(COUNT, v.minValue(32))),
  lookahead: v.optional(v.picklist(["none", "greedy", "programme"]), "none"),
  /** Keeps its ring in a file, which is all that is left of it after a power cut. */
  keepsRing: v.optional(v.boolean(), false),
  link: v.optional(LINK),
});

const FIRMWARE_DEVICE = v.strictObject({
  id: NAME,
  firmware: v.picklist(FIRMWARE_NAMES),
  board: v.picklist(FIRMWARE_BOARDS),
  transport: v.optional(v.literal("serial"), "serial"),
  rateHz: v.optional(
    v.pipe(
      COUNT,
      v.check((rate) => 1000 % rate === 0, "must divide 1000: the board's clock counts milliseconds"),
    ),
    100,
  ),
  /** Its ring is in flash, which outlives its power. */
  keepsRing: v.optional(v.boolean(), false),
  noise: v.optional(v.strictObject({ everyBytes: COUNT, mostBytes: v.optional(v.pipe(COUNT, v.maxValue(4096)), 40) })),
});

/** One that names firmware is that, and everything else is a signal. */
const DEVICE = v.lazy((input) =>
  typeof input === "object" && input !== null && "firmware" in input ? FIRMWARE_DEVICE : SIGNAL_DEVICE,
);

const EVENT = v.variant("do", [
  v.strictObject({ do: v.literal("kill-node"), atS: NOT_NEGATIVE, forS: POSITIVE }),
  v.strictObject({ do: v.literal("cut-power"), atS: NOT_NEGATIVE, forS: POSITIVE, device: NAME }),
  v.strictObject({ do: v.literal("cut-link"), atS: NOT_NEGATIVE, forS: POSITIVE, device: NAME }),
]);

const EXPECT = v.strictObject({
  /** Samples that were confirmed to a device and are not in the store. */
  lostConfirmed: v.optional(v.literal(0), 0),
  maxErrorOverEps: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 1),
  /** Every frame that a ring still held was confirmed in the end. */
  converged: v.optional(v.literal(true), true),
  /** `none`: no sample may be missing; `declared`: some must be, and the node must say how many. */
  gaps: v.optional(v.picklist(["none", "declared", "any"]), "none"),
  /** float32 bytes over payload bytes, over all devices. */
  minRatioPayload: v.optional(POSITIVE),
  /** Part of the samples taken that is stored. */
  minStored: v.optional(PROBABILITY),
});

/** The shape of a scenario file. */
export const SCENARIO_SCHEMA: v.GenericSchema<unknown, Scenario> = v.strictObject({
  name: NAME,
  about: v.pipe(v.string(), v.minLength(1)),
  seed: v.pipe(v.number(), v.integer(), v.minValue(0)),
  durationS: POSITIVE,
  /** How long the devices may take, after the last sample, to get everything confirmed. */
  settleS: v.optional(POSITIVE, 30),
  devices: v.pipe(v.array(DEVICE), v.minLength(1)),
  events: v.optional(v.array(EVENT), []),
  expect: v.optional(EXPECT, {}),
});
