import { channelScale } from "@lockstep/protocol";
import type { TwinView } from "../reconstructor/twin-view.ts";
import type { DeviceTruth } from "./api-node.ts";
import { pendingFromUs } from "./history-answer.ts";
import { bucketSamples, bucketWidthUs, type LaneBuckets } from "./lane-buckets.ts";
import { type LaneTruth, laneTruth } from "./lane-truth.ts";
import { rounderOf } from "./value-digits.ts";

/** How much of the past a lane shows. */
export const LANE_WINDOW_US = 10_000_000;
/** One to two buckets for each pixel of an ordinary screen. */
const MAX_BUCKETS = 1024;
/** Extrapolated instants told for drawing: the newest of those since the last sample. */
const MAX_EXTRAPOLATED = 600;

/** What a lane is of. */
export interface LaneChannel {
  readonly name: string;
  readonly unit: string;
  readonly eps: number;
}

/** What changed on the lanes of one device since the message before; the first one is whole. */
export interface LaneUpdate {
  readonly device: string;
  readonly epoch: number;
  readonly isWhole: boolean;
  readonly channels: readonly LaneChannel[];
  readonly widthUs: number;
  readonly windowUs: number;
  /** Device time of the last confirmed sample, µs; 0 when there is none. */
  readonly confirmedUs: number;
  /** Device time from which on samples are missing that were asked for again, µs; null when none are. */
  readonly pendingUs: number | null;
  /** Per channel; the first bucket may be one that was sent before, now fuller. */
  readonly lanes: readonly LaneBuckets[];
  /** Per channel, bucket by bucket of its lane; null where nobody knows the truth. */
  readonly truth: readonly LaneTruth[] | null;
  /** What the twin expects since then; without a bound. Shape of values: (channels, times). */
  readonly extrapolated: { readonly times: readonly number[]; readonly values: readonly (readonly number[])[] };
}

/** Follows one device, and says what is new. */
export class LaneFeed {
  #key = "";
  #sentUs = Number.NEGATIVE_INFINITY;
  #confirmedUs = -1;
  #pendingUs: number | null = null;
  #times: number[] = [];
  #values: number[][] = [];

  /** @param truth  of this device, where it is known. @returns undefined when nothing changed */
  next(view: TwinView, truth?: DeviceTruth): LaneUpdate | undefined {
    const key = `${view.id} ${view.birthHash} ${view.epoch}`;
    const isWhole = key !== this.#key;
    if (isWhole) {
      this.#key = key;
      this.#sentUs = Number.NEGATIVE_INFINITY;
      this.#confirmedUs = -1;
    }
    const isNewer = view.confirmed.timeUs !== this.#confirmedUs;
    const isExtended = this.#extend(view);
    const pendingUs = pendingFromUs(view) ?? null;
    if (!isWhole && !isNewer && !isExtended && pendingUs === this.#pendingUs) return undefined;
    this.#pendingUs = pendingUs;
    this.#confirmedUs = view.confirmed.timeUs;
    const periodUs = view.birth.periodNs / 1000;
    const widthUs = bucketWidthUs(periodUs, LANE_WINDOW_US, MAX_BUCKETS);
    const fromUs = Math.max(this.#sentUs, view.confirmed.timeUs - LANE_WINDOW_US);
    // One sample more than the stretch has, so that a gap at its start is seen.
    const wanted = Math.ceil((view.confirmed.timeUs - Math.floor(fromUs / widthUs) * widthUs) / periodUs) + 2;
    const samples = view.birth.channels.map((_, c) => (isNewer || isWhole ? view.recent(c, wanted) : []));
    const lanes = samples.map((own) => bucketSamples(own, periodUs, widthUs, fromUs));
    const channels = view.birth.channels.map((channel) => {
      return { name: channel.name, unit: channel.unit, eps: channelScale(channel).eps };
    });
    const truths =
      truth &&
      channels.map((channel, c) => laneTruth(lanes[c] ?? EMPTY_LANE, samples[c] ?? [], widthUs, channel, truth));
    this.#sentUs = view.confirmed.timeUs;
    return {
      device: view.id,
      epoch: view.epoch,
      isWhole,
      channels,
      widthUs,
      windowUs: LANE_WINDOW_US,
      confirmedUs: view.confirmed.timeUs,
      pendingUs,
      lanes,
      truth: truths ?? null,
      extrapolated: { times: this.#times, values: this.#values },
    };
  }

  /** What is expected since the last confirmed sample. @returns whether it is other than before */
  #extend(view: TwinView): boolean {
    const since = view.expected(MAX_EXTRAPOLATED).filter(({ timeUs }) => timeUs > view.confirmed.timeUs);
    const isSame = since.length === this.#times.length && since.at(-1)?.timeUs === this.#times.at(-1);
    if (isSame) return false;
    const round = view.birth.channels.map((channel) => rounderOf(channelScale(channel).eps));
    this.#times = since.map(({ timeUs }) => timeUs);
    this.#values = round.map((rounded, c) => since.map(({ values }) => rounded(values[c] ?? 0)));
    return true;
  }
}

const EMPTY_LANE: LaneBuckets = { times: [], first: [], second: [], runs: [] };
