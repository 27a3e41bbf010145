import { Type } from "typebox";
import type { ModuleSource } from "../../reconstructor/module-registry.ts";
import { DEVICE_STATES } from "../device-state.ts";
import { AlertSchema } from "./fleet-schema.ts";
import { closedObject, nullableNumber, nullableString } from "./nullable.ts";

/** A stretch of device time. */
export const TimeRangeSchema = closedObject(
  {
    fromUs: Type.Number(),
    toUs: Type.Number({ description: "exclusive" }),
  },
  "A stretch of device time, µs.",
);

const NullableRangeSchema = Type.Union([TimeRangeSchema, Type.Null()]);

/** Who a device is. */
export const DeviceSchema = closedObject(
  {
    id: Type.String(),
    state: Type.Enum([...DEVICE_STATES]),
    alerts: Type.Array(AlertSchema),
    transport: nullableString("how it was last heard: mqtt, tcp, serial, loopback; null since the node started"),
    clockOffsetUs: nullableNumber("device time minus the cloud's Unix time, µs, as last reported"),
    lastHeardUs: nullableNumber("Unix time of its last frame of any kind, µs"),
    confirmed: closedObject(
      {
        seq: Type.Number({ description: "of the frame that comes next" }),
        samples: Type.Number({ description: "of this epoch" }),
        timeUs: nullableNumber("device time of the last one, µs"),
      },
      "What is durable, contiguous and verified.",
    ),
    history: NullableRangeSchema,
    birth: closedObject(
      {
        hash: Type.String(),
        model: Type.String({ description: "SHA-256 of its module" }),
        firmware: Type.String(),
        periodUs: Type.Number({ description: "between samples" }),
        frameSamples: Type.Number(),
        silenceMs: Type.Number({ description: "longest time without a frame" }),
        ringBytes: Type.Number(),
      },
      "What it said when it introduced itself.",
    ),
    channels: Type.Array(
      closedObject(
        {
          name: Type.String(),
          unit: Type.String(),
          eps: Type.Number({ description: "error bound in the channel's unit; 0: exact" }),
        },
        "One channel.",
      ),
    ),
    epochs: Type.Array(
      closedObject(
        {
          epoch: Type.Number(),
          openedUs: Type.Number({ description: "Unix time at which the cloud first heard of it, µs" }),
          birthHash: Type.String(),
        },
        "One boot.",
      ),
      { description: "the newest 100, oldest first" },
    ),
    boots: Type.Number({ description: "epochs in all" }),
    truth: Type.Union(
      [
        closedObject(
          {
            fromUs: nullableNumber("device time from which on it is at hand, µs; null: not yet"),
            toUs: nullableNumber("exclusive"),
            compared: Type.Number({ description: "channel-samples compared with it as they were confirmed" }),
            beyondEps: Type.Number({ description: "of those, further away than eps: 0 while the promise is kept" }),
            maxErrorShare: nullableNumber("largest |error| / eps so far; null before the first comparison"),
          },
          "What is known of the real signal of a simulated device.",
        ),
        Type.Null(),
      ],
      { description: "null: nobody knows it, and |error| ≤ eps is promised, not measured" },
    ),
    duplicates: Type.Number(),
    conflicts: Type.Number(),
    refused: Type.Number(),
  },
  "Who a device is.",
);

/** A device now. */
export const TwinSchema = closedObject(
  {
    id: Type.String(),
    nowUs: Type.Number({ description: "the cloud's Unix time, µs" }),
    epoch: Type.Number(),
    state: Type.Enum([...DEVICE_STATES]),
    channels: Type.Array(
      closedObject(
        {
          name: Type.String(),
          unit: Type.String(),
          value: nullableNumber("null before the first sample, and where the sensor gave no reading"),
          bound: nullableNumber("|truth − value| is at most this; null where nothing is promised"),
          state: Type.Enum(["confirmed", "extrapolated", "unknown"]),
          status: Type.Enum(["ok", "invalid", "saturated"]),
          timeUs: nullableNumber("device time of the value, µs"),
          ageMs: nullableNumber("how long ago that was; null while the device's clock is not known"),
          confirmed: closedObject(
            {
              value: nullableNumber("the last confirmed value"),
              timeUs: nullableNumber("its device time, µs"),
            },
            "What is certain, when the value is extrapolated.",
          ),
        },
        "One channel now.",
      ),
    ),
  },
  "A device now: confirmed values keep their bound, extrapolated ones are what the twin expects since.",
);

/** What of a device's cost is not simply counted. */
const TRAFFIC_NOTES = ["ip-headers", "ip-part", "whole-minutes", "part", "clock-unknown"] as const;
export type TrafficNote = (typeof TRAFFIC_NOTES)[number];

/** Bytes by layer. */
export const TrafficSchema = closedObject(
  {
    id: Type.String(),
    windowS: Type.Number({ description: "how much time this covers; at most 24 h where no range was asked for" }),
    covered: Type.Union([TimeRangeSchema, Type.Null()], {
      description: "device time of what was counted, in whole minutes where a range was asked for; null: nothing was",
    }),
    about: Type.Array(Type.Enum([...TRAFFIC_NOTES]), { description: "what is not simply counted: see the guide" }),
    samples: Type.Number({ description: "rows of all channels: of the range, or since the node started" }),
    messages: Type.Number({ description: "of the range, or since the node started" }),
    payload: layer("What the codec wrote."),
    frame: layer("Whole frames, envelope and seal included."),
    ip: layer("IP packets in both directions, acknowledgements and 52 B of headers for each included."),
    isIpCounted: Type.Boolean({ description: "false where the connection does not end in this process" }),
    headerBytesPerPacket: Type.Number({
      description: "IPv4 and TCP with timestamps: added by arithmetic, not captured",
    }),
    rawBytes: Type.Number({ description: "the samples of the window as float32, and nothing else" }),
  },
  "What a device cost on the wire, by layer.",
);

/** The modules that devices may name. */
export const ModulesSchema = closedObject(
  {
    modules: Type.Array(
      closedObject(
        {
          hash: Type.String({ description: "SHA-256" }),
          bytes: Type.Number(),
          source: Type.Enum(["release", "operator"] satisfies ModuleSource[]),
          devices: Type.Array(Type.String(), { description: "that were last born with it" }),
        },
        "One codec module.",
      ),
    ),
  },
  "The codec modules that devices may name.",
);

function layer(description: string) {
  return closedObject(
    {
      bytes: Type.Number(),
      rawBytes: Type.Number({ description: "float32 in the same messages at this layer" }),
      ratio: nullableNumber("raw over sent; below 1 it costs more than it saves"),
    },
    description,
  );
}
