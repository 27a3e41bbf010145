import { type ChannelPlan, type Core, type EncodedPayload, type Lookahead, toFloat } from "@lockstep/edge-sdk/core";
import { planSet } from "./codec-plan.ts";
import type { TelemetrySet } from "./telemetry-sets.ts";

/** One way to encode; the decoder is the same for all of them. */
export interface Variant {
  readonly name: string;
  readonly lookahead: Lookahead;
}

/** In the order of their columns. The last one is the headline; the first one is what a small device has. */
export const VARIANTS: readonly [Variant, ...Variant[]] = [
  { name: "without lookahead", lookahead: "none" },
  { name: "with lookahead", lookahead: "programme" },
];

/** Between them in size and time: timed, and in no other table. */
export const GREEDY: Variant = { name: "greedy lookahead", lookahead: "greedy" };

/** Rows of a frame, or the whole recording in one. */
export type FrameLength = number | "file";

/** What one variant made of one recording. */
export interface OursRun {
  readonly variant: string;
  readonly frames: FrameLength;
  /** Payload bytes of every frame, flush and learning included, no envelope. A quiet frame has none and is not sent. */
  readonly bitsPerSample: number;
  /** The same with one byte for every quiet frame, as if none might be left out. */
  readonly countedBitsPerSample: number;
  /** Part of the frames that both ends foresee. */
  readonly quietFrames: number;
  readonly maxErrorOverEps: number;
  /** Processor time of the encoding thread. */
  readonly encodeNs: number;
}

/** How to cut and code a recording. */
export interface OursSetting {
  readonly variant: Variant;
  readonly frames: FrameLength;
  /** Spacing of each channel's readings; undefined where there is none. */
  readonly lattices: readonly (number | undefined)[];
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
  const { plans, samples } = planSet(set, eps, setting.lattices);
  const config = core.configure(plans.map((plan) => plan.config));
  const encoder = core.createEncoder(config, { lookahead: setting.variant.lookahead });
  const decoder = core.createDecoder(config);
  const frameRows = setting.frames === "file" ? set.rows : setting.frames;
  const frames: EncodedPayload[] = [];
  const started = threadUs();
  for (let at = 0; at < samples.length; ) {
    if (setting.isColdEachFrame === true) encoder.reset();
    const frame = encoder.encode(samples.subarray(at, at + frameRows * channels));
    frames.push(frame);
    at += frame.rows * channels;
  }
  const encodeNs = 1000 * (threadUs() - started);
  let maxErrorOverEps = 0;
  let at = 0;
  for (const frame of frames) {
    if (setting.isColdEachFrame === true) decoder.reset();
    for (const sample of decoder.decode(frame.payload, frame.rows, frame).samples) {
      const c = at % channels;
      const error = Math.abs(toFloat(planOf(plans, c).config, sample) - (values[at] ?? Number.NaN)) / (eps[c] ?? 0);
      maxErrorOverEps = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(maxErrorOverEps, error);
      at += 1;
    }
  }
  const bytes = frames.reduce((sum, { payload }) => sum + payload.length, 0);
  const quiet = frames.filter((frame) => frame.isQuiet).length;
  const bits = 8 / values.length;
  return {
    variant: setting.variant.name,
    frames: setting.frames,
    bitsPerSample: bits * Math.max(bytes, 1),
    countedBitsPerSample: bits * (bytes + quiet),
    quietFrames: quiet / frames.length,
    maxErrorOverEps,
    encodeNs,
  };
}

/** Processor time of this thread, which other load on the machine does not stretch as it does the clock. */
function threadUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function planOf(plans: readonly ChannelPlan[], c: number): ChannelPlan {
  const plan = plans[c];
  if (plan === undefined) throw new RangeError(`bench: no plan for channel ${c}`);
  return plan;
}
