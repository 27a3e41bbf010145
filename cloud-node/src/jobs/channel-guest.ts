import type { Clock } from "../clock.ts";
import { type ChannelEnd, MessageSender } from "./channel-end.ts";
import { joinPlace } from "./channel-handshake.ts";
import { ChannelInbox } from "./channel-inbox.ts";
import { ALL_THERE, CHANNEL_PLACE, ChannelLink, type HeardFrame, JOINED, LEFT } from "./channel-link.ts";
import { type ChannelReach, connectTo } from "./channel-reach.ts";
import { JobError } from "./job-error.ts";
import type { Seat } from "./seat.ts";
import type { Heard } from "./thread-messages.ts";

/** Any place of a shared job but 0: connected to that one, and through it to the others. */
export class ChannelGuest implements ChannelEnd {
  readonly index: number;
  readonly #link: ChannelLink;
  readonly #inbox: ChannelInbox;
  readonly #sender: MessageSender;
  readonly #allThere = Promise.withResolvers<void>();
  #isClosed = false;

  /** Take a place. @throws {JobError} `peer-left` when nobody listens there, or it is not who it should be */
  static async join(seat: Seat, reach: ChannelReach, clock: Clock): Promise<ChannelGuest> {
    const { job, secret, index, count, address } = seat;
    const link = new ChannelLink(await connectTo(address, reach), clock);
    try {
      const next = () => link.nextPart();
      const known = { job, secret: Buffer.from(secret, "hex") };
      link.begin(job, await joinPlace(known, index, next, (bytes) => link.sendPart(bytes)));
    } catch (error) {
      link.destroy();
      throw error;
    }
    return new ChannelGuest(link, index, count);
  }

  private constructor(link: ChannelLink, index: number, count: number) {
    this.index = index;
    this.#link = link;
    this.#sender = new MessageSender(index);
    this.#inbox = new ChannelInbox(
      Array.from({ length: count }, (_, place) => place).filter((place) => place !== index),
    );
    this.#allThere.promise.catch(() => undefined);
    void this.#listen(count);
  }

  /** Wait until everybody has come. @throws {JobError} `peer-left` when place 0 gives up before */
  allThere(): Promise<void> {
    return this.#allThere.promise;
  }

  async send(to: number, message: Uint8Array): Promise<number> {
    if (!this.#inbox.has(to)) throw new JobError("peer-left", `worker ${to} is not there any more`, "go on without it");
    return await this.#sender.send(this.#link, to, message);
  }

  receive(): Promise<Heard> {
    return this.#inbox.receive();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#link.close();
  }

  async #listen(count: number): Promise<void> {
    let cause: unknown;
    try {
      for await (const frame of this.#link.frames()) await this.#take(frame, count);
    } catch (error) {
      // Told with the first thing that is asked for: whatever broke, nobody is heard any more.
      cause = error;
    } finally {
      if (!this.#isClosed) this.#link.destroy();
      const why = cause instanceof Error ? ` (${cause.message})` : "";
      const problem = `place 0 of the shared job is not there any more${why}`;
      this.#allThere.reject(new JobError("peer-left", problem, "nothing: the job is tried again", { cause }));
      for (let place = 0; place < count; place++) this.#inbox.left(place);
    }
  }

  async #take(frame: HeardFrame, count: number): Promise<void> {
    if (frame.from !== CHANNEL_PLACE) {
      const isKnown = frame.to === this.index && frame.from < count && frame.from !== this.index;
      if (!isKnown) throw new JobError("peer-left", `a frame from ${frame.from} to ${frame.to}`, "nothing");
      return await this.#inbox.take(frame);
    }
    const [what, high = 0, low = 0] = frame.payload;
    if (what === ALL_THERE) this.#allThere.resolve();
    else if (what === LEFT) this.#inbox.left((high << 8) | low);
    else if (what === JOINED) this.#inbox.joined((high << 8) | low);
  }
}
