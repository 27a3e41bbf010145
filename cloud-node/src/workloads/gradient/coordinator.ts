import type { ExchangeLink } from "./exchange-link.ts";
import { type Contribution, decodeUp, encodeGo, encodeRound, type NamedBytes } from "./exchange-message.ts";

/** A worker that catches up is let in once it is so near, steps: before that a step would wait for it in vain. */
const NEAR = 64;

export interface CoordinatorOptions {
  /** How long a step waits for contributions once the own one is there, ms. */
  readonly patienceMs: number;
  /** How long the first step waits for workers to get ready, ms. */
  readonly startMs: number;
  /** Rounds that a worker has not taken, bytes: beyond them it gets none any more, and the whole state once it took these. */
  readonly mostWaitingBytes: number;
  /** Resolves after so long; sooner when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told of workers that come late, go and come. */
  readonly onEvent: (line: string) => void;
}

/** What a step put together. */
export interface Round {
  /** By rank, the own one among them. */
  readonly contributions: readonly Contribution[];
  /** Of each contribution that came over the wire. */
  readonly uplink: readonly UplinkBytes[];
  /** To how many others it was sent. */
  readonly receivers: number;
}

/** Messages on connections until now, everything included, whatever became of them. */
export interface WireBytes {
  /** From the others. */
  readonly up: number;
  readonly down: number;
}

export interface UplinkBytes {
  readonly rank: number;
  /** What the method made. */
  readonly payload: number;
  /** What it took on the connection, everything included. */
  readonly wire: number;
}

/** What place 0 knows of another worker. */
interface Guest {
  isThere: boolean;
  /** Workers that had the place before. */
  turn: number;
  /** Whether steps wait for it. */
  isExpected: boolean;
  /** Step that it is ready for, and was not let go on at yet. */
  readyFor: number | undefined;
  /** Step at which it was let in last; what it said to be ready for up to then was answered by that. */
  letInAt: number;
  /** Of all steps from this one on it was sent the rounds. */
  roundsFrom: number;
  /** Whether it was left behind: it goes on from the whole state. */
  isBehind: boolean;
  contribution: (Contribution & { readonly step: number; readonly wire: number }) | undefined;
  /** What has not left yet: messages, and bytes of the rounds among them. */
  waiting: number;
  waitingRoundBytes: number;
  sent: Promise<void>;
}

/**
 * Place 0 of an all-reduce: gathers one contribution of each worker, and sends all of them to all.
 *
 * Contributions are handed on by rank, whenever they came: what a step computes depends on whose contributions it has, and
 * not on their order. A worker whose contribution does not come in time is left out, waited for no more, and let in again
 * at the step after it says that it is ready.
 */
export class Coordinator {
  readonly #link: ExchangeLink;
  readonly #options: CoordinatorOptions;
  readonly #guests: ReadonlyMap<number, Guest>;
  #wire: WireBytes = { up: 0, down: 0 };
  #fault: unknown;
  #isBegun = false;
  #wake = Promise.withResolvers<void>();

  constructor(link: ExchangeLink, options: CoordinatorOptions) {
    this.#link = link;
    this.#options = options;
    this.#guests = new Map(Array.from({ length: link.count - 1 }, (_, index) => [index + 1, newGuest(true)]));
    void this.#listen();
  }

  get wire(): WireBytes {
    return this.#wire;
  }

  /**
   * Let those who are ready go on at a step; the first time, wait for all.
   *
   * @param state  what they need, where they do not have it
   */
  async open(step: number, state: () => Promise<readonly NamedBytes[]>): Promise<void> {
    if (!this.#isBegun) {
      const isReady = (guest: Guest) => !guest.isThere || guest.readyFor !== undefined;
      await this.#until(() => [...this.#guests.values()].every(isReady), this.#options.startMs);
    }
    this.#isBegun = true;
    this.#throwFault();
    let whole: readonly NamedBytes[] | undefined;
    for (const [rank, guest] of this.#guests) {
      const { readyFor = Number.NEGATIVE_INFINITY, isBehind, roundsFrom } = guest;
      if (isBehind ? guest.waiting > 0 || !guest.isThere : guest.readyFor === undefined) continue;
      const hasState = readyFor === step || roundsFrom <= readyFor;
      if (hasState && readyFor < step - NEAR) continue;
      if (!hasState) whole ??= await state();
      this.#post(rank, guest, encodeGo(step, hasState ? undefined : whole));
      const isBack = { readyFor: undefined, isBehind: false, isExpected: true };
      Object.assign(guest, { ...isBack, letInAt: step, roundsFrom: step, contribution: undefined });
      if (step > 0) this.#options.onEvent(`worker ${rank} takes part from step ${step} on`);
    }
  }

  /** Put a step together from the own contribution and those that come in time, and send it to all. */
  async round(step: number, own: Contribution): Promise<Round> {
    const has = (guest: Guest) => guest.contribution?.step === step;
    await this.#until(
      () => [...this.#guests.values()].every((guest) => !guest.isExpected || has(guest)),
      this.#options.patienceMs,
    );
    this.#throwFault();
    const contributions: Contribution[] = [own];
    const uplink: UplinkBytes[] = [];
    for (const [rank, guest] of this.#guests) {
      const { contribution } = guest;
      if (contribution !== undefined && has(guest)) {
        const { loss, bytes, wire } = contribution;
        guest.isExpected = true;
        contributions.push({ rank, loss, bytes });
        uplink.push({ rank, payload: bytes.length, wire });
      } else if (guest.isExpected) {
        guest.isExpected = false;
        this.#options.onEvent(`step ${step} goes on without worker ${rank}`);
      }
    }
    let receivers = 0;
    for (const [rank, guest] of this.#guests) receivers += this.#sendRound(step, contributions, rank, guest) ? 1 : 0;
    return { contributions, uplink, receivers };
  }

  /** Wait until all that was sent has left, or so long. */
  async flush(ms: number): Promise<void> {
    const idle = () => [...this.#guests.values()].every(({ waiting }) => waiting === 0);
    await this.#until(idle, ms);
  }

  /** @returns whether it is on its way */
  #sendRound(step: number, contributions: readonly Contribution[], rank: number, guest: Guest): boolean {
    if (!guest.isThere || guest.roundsFrom > step) return false;
    if (guest.waitingRoundBytes > this.#options.mostWaitingBytes) {
      Object.assign(guest, { roundsFrom: Number.POSITIVE_INFINITY, isBehind: true, isExpected: false });
      this.#options.onEvent(`worker ${rank} does not take what it is sent: it will go on from the whole state`);
      return false;
    }
    const message = encodeRound(step, contributions, rank);
    this.#post(rank, guest, message, message.length);
    return true;
  }

  /** Send after what was sent before; nobody waits for it. @param roundBytes  of rounds, in it */
  #post(rank: number, guest: Guest, message: Uint8Array, roundBytes = 0): void {
    const { turn } = guest;
    guest.waiting += 1;
    guest.waitingRoundBytes += roundBytes;
    guest.sent = guest.sent
      .then(async () => {
        if (!guest.isThere || guest.turn !== turn) return;
        const bytes = await this.#link.send(rank, message);
        this.#wire = { ...this.#wire, down: this.#wire.down + bytes };
      })
      // That it left is heard, too.
      .catch(() => undefined)
      .finally(() => {
        guest.waiting -= 1;
        guest.waitingRoundBytes -= roundBytes;
        this.#wake.resolve();
      });
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const news = await this.#link.receive();
        const guest = this.#guests.get(news.from);
        // What comes too late, is overtaken, or only says how far somebody is has gone over the wire as well.
        if (news.kind === "message") this.#wire = { ...this.#wire, up: this.#wire.up + news.wireBytes };
        if (guest === undefined) continue;
        if (news.kind === "message") this.#take(guest, news.from, news.message, news.wireBytes);
        else this.#seat(guest, news.from, news.kind === "joined");
        this.#wake.resolve();
      }
    } catch (error) {
      this.#fault = error;
      this.#wake.resolve();
    }
  }

  #take(guest: Guest, rank: number, message: Uint8Array, wire: number): void {
    const up = decodeUp(message);
    if (up.kind === "ready") guest.readyFor = up.step > guest.letInAt ? up.step : guest.readyFor;
    else guest.contribution = { rank, wire, ...up };
  }

  /** Whoever takes a place again knows nothing of the one before. */
  #seat(guest: Guest, rank: number, isThere: boolean): void {
    const { turn, waiting, waitingRoundBytes, sent } = guest;
    Object.assign(guest, { ...newGuest(isThere), turn: turn + 1, waiting, waitingRoundBytes, sent });
    this.#options.onEvent(`worker ${rank} ${isThere ? "has come" : "has left"}`);
  }

  #throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** Wait for something, or so long. */
  async #until(isSo: () => boolean, ms: number): Promise<void> {
    if (isSo()) return;
    const over = new AbortController();
    let isOver = false;
    const timer = this.#options.wait(ms, over.signal).then(() => {
      isOver = true;
      this.#wake.resolve();
    });
    while (!isSo() && !isOver && this.#fault === undefined) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
    over.abort();
    await timer;
  }
}

function newGuest(isThere: boolean): Guest {
  const state = { isThere, turn: 0, isExpected: false, readyFor: undefined, roundsFrom: Number.POSITIVE_INFINITY };
  const line = { waiting: 0, waitingRoundBytes: 0, sent: Promise.resolve() };
  return { ...state, letInAt: -1, isBehind: false, contribution: undefined, ...line };
}
