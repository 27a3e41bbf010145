import { channelScale } from "@lockstep/protocol";
import type { TwinView } from "../reconstructor/twin-view.ts";
import { pendingFromUs } from "./history-answer.ts";
import { bucketSamples, bucketWidthUs, type LaneBuckets } from "./lane-buckets.ts";

/** How much of the past a lane shows. */
export const LANE_WINDOW_US = 10_000_000;
/** One to two buckets for each pixel of an ordinary screen. */
const MAX_BUCKETS = 1024;
/** Extrapolated instants kept for drawing: one per message for as long as a device may be silent. */
const MAX_EXTRAPOLATED = 600;

/** Instants further apart than so many periods have a sample between them. */
const SAMPLE_TOLERANCE = 1.5;

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

  /** @returns undefined when nothing changed */
  next(view: TwinView): LaneUpdate | undefined {
    const key = `${view.id} ${view.birthHash} ${view.epoch}`;
    const isWhole = key !== this.#key;
    if (isWhole) {
      this.#key = key;
      this.#sentUs = Number.NEGATIVE_INFINITY;
      this.#confirmedUs = -1;
    }
    const isNewer = view.confirmed.timeUs !== this.#confirmedUs;
    if (isWhole || isNewer) this.#forgetExtrapolated(view);
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
    const lanes = view.birth.channels.map(
      (_, c): LaneBuckets =>
        isNewer || isWhole ? bucketSamples(view.recent(c, wanted), periodUs, widthUs, fromUs) : EMPTY_LANE,
    );
    this.#sentUs = view.confirmed.timeUs;
    return {
      device: view.id,
      epoch: view.epoch,
      isWhole,
      channels: view.birth.channels.map((channel) => ({
        name: channel.name,
        unit: channel.unit,
        eps: channelScale(channel).eps,
      })),
      widthUs,
      windowUs: LANE_WINDOW_US,
      confirmedUs: view.confirmed.timeUs,
      pendingUs,
      lanes,
      extrapolated: { times: this.#times, values: this.#values },
    };
  }

  #forgetExtrapolated(view: TwinView): void {
    this.#times = [];
    this.#values = view.birth.channels.map(() => []);
  }

  #extend(view: TwinView): boolean {
    const guess = view.latest.find(({ state }) => state === "extrapolated");
    const last = this.#times.at(-1) ?? view.confirmed.timeUs;
    if (guess === undefined || guess.timeUs <= last || this.#times.length >= MAX_EXTRAPOLATED) return false;
    // One instant a message: a line through fewer than all samples would be a slower signal than the twin expects.
    if (guess.timeUs - last > (SAMPLE_TOLERANCE * view.birth.periodNs) / 1000) return false;
    this.#times.push(guess.timeUs);
    for (const [c, values] of this.#values.entries()) values.push(guess.values[c] ?? Number.NaN);
    return true;
  }
}

const EMPTY_LANE: LaneBuckets = { times: [], first: [], second: [], runs: [] };
