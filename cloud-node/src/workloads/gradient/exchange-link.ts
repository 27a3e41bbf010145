import type { JobChannel, PeerNews } from "../../jobs/workload.ts";
import { MAX_MESSAGE_BYTES } from "../../jobs/workload.ts";
import { GradientError } from "./gradient-error.ts";

/** First byte of a message of the channel: whether more of the same one follows. */
const LAST = 0;
const MORE = 1;
const PIECE_BYTES = MAX_MESSAGE_BYTES - 1;
/** A state of a model beyond this would not fit an engine's memory either. */
const MOST_BYTES = 2 ** 32;

interface Begun {
  readonly pieces: Uint8Array[];
  bytes: number;
  wireBytes: number;
}

/** Messages of any length over the channel of a shared job, and what each of them took on the connection. */
export class ExchangeLink {
  readonly #channel: JobChannel;
  readonly #signal: AbortSignal;
  readonly #begun = new Map<number, Begun>();

  constructor(channel: JobChannel, signal: AbortSignal) {
    this.#channel = channel;
    this.#signal = signal;
  }

  /** Own place. */
  get rank(): number {
    return this.#channel.index;
  }

  get count(): number {
    return this.#channel.count;
  }

  /** @returns bytes on the connection. @throws {JobError} `peer-left` */
  async send(to: number, message: Uint8Array): Promise<number> {
    let wireBytes = 0;
    for (let at = 0; ; ) {
      const part = message.subarray(at, at + PIECE_BYTES);
      at += part.length;
      const piece = new Uint8Array(1 + part.length);
      piece[0] = at === message.length ? LAST : MORE;
      piece.set(part, 1);
      wireBytes += await this.#channel.send(to, piece);
      if (at === message.length) return wireBytes;
    }
  }

  /** What is heard next, messages whole. @throws {JobError} `peer-left`; {GradientError} `bad-message`, `too-large` */
  async receive(): Promise<PeerNews> {
    for (;;) {
      const news = await this.#channel.receive(this.#signal);
      if (news.kind !== "message") {
        this.#begun.delete(news.from);
        return news;
      }
      const whole = this.#take(news);
      if (whole !== undefined) return whole;
    }
  }

  #take({ from, message, wireBytes }: PeerNews & { readonly kind: "message" }): PeerNews | undefined {
    const begun = this.#begun.get(from) ?? { pieces: [], bytes: 0, wireBytes: 0 };
    begun.pieces.push(message.subarray(1));
    begun.bytes += message.length - 1;
    begun.wireBytes += wireBytes;
    const remedy = "let workers of one release train together";
    if (begun.bytes > MOST_BYTES) throw new GradientError("too-large", `${begun.bytes} bytes of ${from}`, remedy);
    if (message[0] === MORE) {
      this.#begun.set(from, begun);
      return undefined;
    }
    if (message[0] !== LAST) throw new GradientError("bad-message", `a piece of kind ${message[0]} of ${from}`, remedy);
    this.#begun.delete(from);
    const whole = begun.pieces.length === 1 ? message.subarray(1) : Buffer.concat(begun.pieces);
    return { kind: "message", from, message: whole, wireBytes: begun.wireBytes };
  }
}
