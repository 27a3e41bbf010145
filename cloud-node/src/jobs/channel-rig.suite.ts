import { InvariantError } from "../invariant-error.ts";
import type { Logger } from "../logger.ts";
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
  /** Of place 0. The others have one that stands: what takes long on a busy machine is no silence of theirs. */
  readonly clock = new ManualClock();
  /** What place 0 logged. */
  readonly logged: string[] = [];
  readonly #reach: ChannelReach;
  readonly #guests: ChannelGuest[] = [];
  #hub: ChannelHub | undefined;

  static async open(reach: ChannelReach): Promise<ChannelRig> {
    const rig = new ChannelRig(reach);
    rig.#hub = await rig.#openHub(false);
    return rig;
  }

  private constructor(reach: ChannelReach) {
    this.#reach = reach;
  }

  get hub(): ChannelHub {
    if (this.#hub === undefined) throw new InvariantError("a rig is opened first");
    return this.#hub;
  }

  seat(index: number, more: Partial<Seat> = {}): Seat {
    const secret = SECRET.toString("hex");
    return { job: JOB, attempt: 1, startedMs: 1, index, count: COUNT, address: this.hub.address, secret, ...more };
  }

  async join(index: number, more: Partial<Seat> = {}): Promise<ChannelGuest> {
    const guest = await ChannelGuest.join(this.seat(index, more), this.#reach, new ManualClock());
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
    this.#hub = await this.#openHub(true);
    return await this.all();
  }

  async close(): Promise<void> {
    await Promise.all([this.hub.close(), ...this.#guests.map((guest) => guest.close())]);
  }

  #openHub(isRefilled: boolean): Promise<ChannelHub> {
    const say = (_: object, line: string): void => void this.logged.push(line);
    const logger: Logger = { debug: say, info: say, warn: say, error: say };
    const who = { job: JOB, secret: SECRET, count: COUNT, isRefilled };
    return ChannelHub.open({ ...who, ...this.#reach, clock: this.clock, logger });
  }
}
