import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { type ChannelEnd, MessageSender } from "./channel-end.ts";
import { admitPlace, type HandshakeSecret } from "./channel-handshake.ts";
import { ChannelInbox } from "./channel-inbox.ts";
import { ALL_THERE, ChannelLink, type HeardFrame, JOINED, LEFT } from "./channel-link.ts";
import { type ChannelDoor, type ChannelReach, type ChannelStream, openDoor } from "./channel-reach.ts";
import { JobError } from "./job-error.ts";
import type { Heard } from "./thread-messages.ts";

/** Connections that have proved nothing yet. */
const MOST_STRANGERS = 256;

export interface HubOptions extends HandshakeSecret, ChannelReach {
  readonly count: number;
  /** Whether a place that was taken may be taken again: by whoever has it by now. */
  readonly isRefilled: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Place 0 of a shared job: the others connect to it, and speak to each other through it. */
export class ChannelHub implements ChannelEnd {
  readonly index = 0;
  readonly #options: HubOptions;
  readonly #links = new Map<number, ChannelLink>();
  readonly #strangers = new Set<ChannelLink>();
  readonly #inbox: ChannelInbox;
  readonly #sender = new MessageSender(0);
  readonly #allThere = Promise.withResolvers<void>();
  readonly #taken = new Set<number>([0]);
  #door: ChannelDoor | undefined;

  /** Listen. @throws {JobError} `failed` when the host is none of this machine's, or the broker takes nobody */
  static async open(options: HubOptions): Promise<ChannelHub> {
    const hub = new ChannelHub(options);
    hub.#door = await openDoor(options, options, (stream) => void hub.#admit(stream));
    return hub;
  }

  private constructor(options: HubOptions) {
    this.#options = options;
    const others = Array.from({ length: options.count - 1 }, (_, index) => index + 1);
    this.#inbox = new ChannelInbox(others, options.isRefilled);
    this.#allThere.promise.catch(() => undefined);
  }

  /** Where it listens, as the places are told. */
  get address(): string {
    return this.#door?.address ?? "";
  }

  /** How many places are taken, this one too. */
  get taken(): number {
    return this.#taken.size;
  }

  /** Wait until everybody has come, and tell them. */
  async allThere(): Promise<void> {
    await this.#allThere.promise;
    for (const [index, link] of this.#links) await link.announce(index, ALL_THERE).catch(() => undefined);
  }

  async send(to: number, message: Uint8Array): Promise<number> {
    const link = this.#links.get(to);
    if (link === undefined) throw new JobError("peer-left", `worker ${to} is not there any more`, "go on without it");
    return await this.#sender.send(link, to, message);
  }

  receive(): Promise<Heard> {
    return this.#inbox.receive();
  }

  async close(): Promise<void> {
    this.#door?.close();
    for (const link of this.#strangers) link.destroy();
    for (const link of this.#links.values()) link.close();
  }

  async #admit(stream: ChannelStream): Promise<void> {
    const { clock, logger, job } = this.#options;
    if (this.#strangers.size >= MOST_STRANGERS) {
      stream.on("error", () => undefined).destroy();
      return;
    }
    const link = new ChannelLink(stream, clock);
    this.#strangers.add(link);
    let place: number | undefined;
    try {
      const next = () => link.nextPart();
      const isFree = (index: number) => this.#isFree(index);
      const { index, keys } = await admitPlace(this.#options, isFree, next, (bytes) => link.sendPart(bytes));
      place = index;
      link.begin(job, keys);
      this.#strangers.delete(link);
      await this.#seat(index, link);
      for await (const frame of link.frames()) await this.#pass(index, frame);
    } catch (error) {
      logger.warn({ job, place, error: String(error) }, "a connection of a shared job is closed");
    } finally {
      this.#strangers.delete(link);
      link.destroy();
      if (place !== undefined && this.#links.get(place) === link) await this.#left(place);
    }
  }

  #isFree(index: number): boolean {
    const { count, isRefilled } = this.#options;
    return index > 0 && index < count && (isRefilled || !this.#taken.has(index));
  }

  /** Whoever takes a place again stands in for the one who had it, whether that one is known to be gone or not. */
  async #seat(index: number, link: ChannelLink): Promise<void> {
    const isAgain = this.#taken.has(index);
    const before = this.#links.get(index);
    if (before !== undefined) await this.#left(index);
    before?.destroy();
    this.#taken.add(index);
    this.#links.set(index, link);
    if (this.#taken.size === this.#options.count) this.#allThere.resolve();
    if (!isAgain) return;
    await link.announce(index, ALL_THERE);
    for (let place = 1; place < this.#options.count; place++) {
      if (!this.#links.has(place)) await link.announce(index, LEFT, place >> 8, place & 0xff);
    }
    this.#inbox.joined(index);
    await this.#tellOthers(index, JOINED);
  }

  async #tellOthers(place: number, what: number): Promise<void> {
    for (const [index, link] of this.#links) {
      if (index !== place) await link.announce(index, what, place >> 8, place & 0xff).catch(() => undefined);
    }
  }

  async #pass(index: number, frame: HeardFrame): Promise<void> {
    if (frame.from !== index) throw new JobError("peer-left", `worker ${index} speaks as ${frame.from}`, "nothing");
    if (frame.to === 0) return await this.#inbox.take(frame);
    // To whoever is gone nothing is sent; the sender hears of it.
    await this.#links
      .get(frame.to)
      ?.send(frame)
      .catch(() => undefined);
  }

  async #left(place: number): Promise<void> {
    this.#links.delete(place);
    this.#inbox.left(place);
    const problem = `worker ${place} left before everybody was there`;
    this.#allThere.reject(new JobError("peer-left", problem, "nothing: the job is tried again"));
    await this.#tellOthers(place, LEFT);
  }
}
