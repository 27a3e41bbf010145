import { performance } from "node:perf_hooks";
import { type ChannelPlan, type Core, planChannel, toFixed, toFloat } from "@lockstep/edge-sdk/core";
import type { TelemetrySet } from "./telemetry-sets.ts";

/** One way to encode; the decoder is the same for all of them. */
export interface Variant {
  readonly name: string;
  readonly hasLookahead: boolean;
}

/** In the order of their columns. The last one is the headline; the first one is what a small device has. */
export const VARIANTS: readonly [Variant, ...Variant[]] = [{ name: "without lookahead", hasLookahead: false }];

/** Rows of a frame, or the whole recording in one. */
export type FrameLength = number | "file";

/** What one variant made of one recording. */
export interface OursRun {
  readonly variant: string;
  readonly frames: FrameLength;
  /** Payload bytes of every frame, flush and learning included, no envelope. */
  readonly bitsPerSample: number;
  /** The same without the frames that a sender leaves out because their every residual is zero. */
  readonly sentBitsPerSample: number;
  readonly maxErrorOverEps: number;
  readonly encodeNs: number;
}

/** How to cut and code a recording. */
export interface OursSetting {
  readonly variant: Variant;
  readonly frames: FrameLength;
  /** Every frame is a keyframe: both ends begin it from the cold state. */
  readonly isColdEachFrame?: boolean;
}

/**
 * Encode a recording and decode it again.
 *
 * @param eps  per channel, > 0; the error is measured in float64 against the float32 originals
 */
export function runOurs(core: Core, set: TelemetrySet, eps: readonly number[], setting: OursSetting): OursRun {
  const { channels, values } = set;
  const plans = set.ranges.map(({ min, max }, c) => planChannel({ name: `c${c}`, eps: eps[c] ?? 0, min, max }));
  const samples = Int32Array.from(values, (value, i) => toFixed(planOf(plans, i % channels).config, value).sample);
  const config = core.configure(plans.map((plan) => plan.config));
  const encoder = createEncoder(core, config, setting.variant);
  const decoder = core.createDecoder(config);
  const frameRows = setting.frames === "file" ? set.rows : setting.frames;
  let bytes = 0;
  let sentBytes = 0;
  let encodeMs = 0;
  let maxErrorOverEps = 0;
  for (let at = 0; at < samples.length; ) {
    if (setting.isColdEachFrame === true) {
      encoder.reset();
      decoder.reset();
    }
    const started = performance.now();
    const frame = encoder.encode(samples.subarray(at, at + frameRows * channels));
    encodeMs += performance.now() - started;
    bytes += frame.payload.length;
    if (!frame.isQuiet) sentBytes += frame.payload.length;
    for (const sample of decoder.decode(frame.payload, frame.rows, false).samples) {
      const c = at % channels;
      const error = Math.abs(toFloat(planOf(plans, c).config, sample) - (values[at] ?? Number.NaN)) / (eps[c] ?? 0);
      maxErrorOverEps = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(maxErrorOverEps, error);
      at += 1;
    }
  }
  const bits = 8 / values.length;
  return {
    variant: setting.variant.name,
    frames: setting.frames,
    bitsPerSample: bits * Math.max(bytes, 1),
    sentBitsPerSample: bits * Math.max(sentBytes, 1),
    maxErrorOverEps,
    encodeNs: encodeMs * 1e6,
  };
}

function createEncoder(core: Core, config: ReturnType<Core["configure"]>, _variant: Variant) {
  return core.createEncoder(config);
}

function planOf(plans: readonly ChannelPlan[], c: number): ChannelPlan {
  const plan = plans[c];
  if (plan === undefined) throw new RangeError(`bench: no plan for channel ${c}`);
  return plan;
}
