import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { ChannelGuest } from "./channel-guest.ts";
import { ChannelHub } from "./channel-hub.ts";
import type { ChannelReach } from "./channel-reach.ts";
import type { Seat } from "./seat.ts";

export const JOB = "ab".repeat(32);
export const SECRET = Buffer.alloc(32, 7);
const COUNT = 3;

/** Place 0 of a shared job, and those that join it. */
export class ChannelRig {
  readonly clock: ManualClock;
  readonly #reach: ChannelReach;
  readonly #guests: ChannelGuest[] = [];
  hub: ChannelHub;

  static async open(reach: ChannelReach): Promise<ChannelRig> {
    const clock = new ManualClock();
    return new ChannelRig(reach, clock, await openHub(reach, clock, false));
  }

  private constructor(reach: ChannelReach, clock: ManualClock, hub: ChannelHub) {
    this.#reach = reach;
    this.clock = clock;
    this.hub = hub;
  }

  seat(index: number, more: Partial<Seat> = {}): Seat {
    const secret = SECRET.toString("hex");
    return { job: JOB, attempt: 1, startedMs: 1, index, count: COUNT, address: this.hub.address, secret, ...more };
  }

  async join(index: number, more: Partial<Seat> = {}): Promise<ChannelGuest> {
    const guest = await ChannelGuest.join(this.seat(index, more), this.#reach, systemClock());
    this.#guests.push(guest);
    return guest;
  }

  async all(): Promise<readonly [ChannelGuest, ChannelGuest]> {
    const [one, two] = [await this.join(1), await this.join(2)];
    await Promise.all([this.hub.allThere(), one.allThere(), two.allThere()]);
    return [one, two];
  }

  /** Two guests at a channel whose places are taken again. */
  async refilled(): Promise<readonly [ChannelGuest, ChannelGuest]> {
    await this.hub.close();
    this.hub = await openHub(this.#reach, this.clock, true);
    return await this.all();
  }

  async close(): Promise<void> {
    await Promise.all([this.hub.close(), ...this.#guests.map((guest) => guest.close())]);
  }
}

function openHub(reach: ChannelReach, clock: ManualClock, isRefilled: boolean): Promise<ChannelHub> {
  return ChannelHub.open({
    job: JOB,
    secret: SECRET,
    count: COUNT,
    isRefilled,
    ...reach,
    clock,
    logger: SILENT_LOGGER,
  });
}
