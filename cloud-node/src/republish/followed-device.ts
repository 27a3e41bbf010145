import type { TwinView } from "../reconstructor/twin-view.ts";
import { type DeviceFacts, factsOf, type SampleBatch, type SampleClock } from "./sample-batch.ts";

/** Device times before September 2001 count from a boot: such a clock is put to the node's. */
const BOOT_TIMES_END_US = 1e15;
/** Earlier boots of a device whose frames may still come. */
const MOST_BOOTS = 4;

/** How device time becomes Unix time; one and the same for a whole boot, so that samples keep their distances. */
interface Dating {
  readonly clock: SampleClock;
  /** Unix time minus device time, µs. */
  readonly shiftUs: number;
}

/** One boot as far as it was told. */
export interface ToldBoot {
  readonly facts: DeviceFacts;
  /** Device time of the last sample told or passed over, µs; −∞ before the first. */
  toldUs: number;
  /** Settled by its first sample. */
  dating: Dating | undefined;
}

/** What was told of one device, and what comes next. */
export class FollowedDevice {
  readonly id: string;
  isOnline = false;
  #boot: ToldBoot;
  #birthHash: string;
  /** Rows of that boot that were told or passed over. */
  #told = 0;
  readonly #earlier = new Map<number, ToldBoot>();
  #skipped = 0;
  #lost = 0;

  /** @param isKnown  what is confirmed by now was confirmed before anybody followed: it is passed over */
  constructor(view: TwinView, isKnown: boolean) {
    this.id = view.id;
    this.#boot = newBoot(view);
    this.#birthHash = view.birthHash;
    if (!isKnown) return;
    this.caughtUp(view);
    // A clock of its own needs nothing said: what this boot still holds can be dated though another one comes first.
    if (view.confirmed.timeUs >= BOOT_TIMES_END_US) this.date(view, 0);
  }

  get boot(): ToldBoot {
    return this.#boot;
  }

  /** A boot that is over, as far as it is remembered. */
  earlier(epoch: number): ToldBoot | undefined {
    return this.#earlier.get(epoch);
  }

  /** Go on with what the view shows. @returns whether boot or birth is another one */
  renew(view: TwinView): boolean {
    const { epoch } = this.#boot.facts;
    if (view.epoch === epoch && view.birthHash === this.#birthHash) return false;
    this.#birthHash = view.birthHash;
    if (view.epoch === epoch) {
      this.#boot = { ...this.#boot, facts: factsOf(view) };
      return true;
    }
    this.#earlier.set(epoch, this.#boot);
    for (const old of [...this.#earlier.keys()].slice(0, -MOST_BOOTS)) this.#earlier.delete(old);
    this.#boot = newBoot(view);
    this.#told = 0;
    return true;
  }

  skip(rows: number): void {
    this.#skipped += rows;
  }

  lose(rows: number): void {
    this.#lost += rows;
  }

  /** Rows of the newest boot that are confirmed and not told yet. */
  untold(view: TwinView): number {
    return Math.max(0, view.confirmed.samples - this.#told);
  }

  /** All that the view has is told now. */
  caughtUp(view: TwinView): void {
    this.#told = view.confirmed.samples;
    if (view.confirmed.samples > 0) this.#boot.toldUs = Math.max(this.#boot.toldUs, view.confirmed.timeUs);
  }

  /** Settle how the samples of the newest boot are dated, at its first one. */
  date({ confirmed, clockOffsetUs }: TwinView, nowUs: number): void {
    if (this.#boot.dating !== undefined) return;
    const { timeUs } = confirmed;
    if (timeUs >= BOOT_TIMES_END_US) {
      this.#boot.dating = { clock: "device", shiftUs: 0 };
      return;
    }
    // A device may date its samples otherwise than what it reports of its clock; then they are of now.
    const reportedUs = Math.round(timeUs - (clockOffsetUs ?? 0));
    const unixUs = clockOffsetUs !== undefined && reportedUs >= BOOT_TIMES_END_US ? reportedUs : nowUs;
    this.#boot.dating = { clock: "node", shiftUs: unixUs - timeUs };
  }

  /**
   * A batch of rows, with what was skipped and lost before it.
   *
   * @param rows  times by the device's clock
   * @returns undefined where the boot's time is unknown, because nothing of it was ever told
   */
  batch(
    { facts, dating }: ToldBoot,
    rows: Pick<SampleBatch, "timesUs" | "values" | "statuses">,
    about: Pick<SampleBatch, "state" | "isLate">,
  ): SampleBatch | undefined {
    if (dating === undefined) return undefined;
    const { clock, shiftUs } = dating;
    const [skipped, lost] = [this.#skipped, this.#lost];
    this.#skipped = 0;
    this.#lost = 0;
    return { ...rows, ...about, timesUs: rows.timesUs.map((timeUs) => timeUs + shiftUs), facts, clock, skipped, lost };
  }
}

function newBoot(view: TwinView): ToldBoot {
  return { facts: factsOf(view), toldUs: Number.NEGATIVE_INFINITY, dating: undefined };
}
