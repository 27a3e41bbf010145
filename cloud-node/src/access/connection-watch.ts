import type { Socket } from "node:net";
import type { Clock, Timer } from "../clock.ts";
import type { ConnectionLimits } from "./connection-limits.ts";

/** What is known of a connection's pace. */
export interface WatchedConnection {
  /** What is read from: a socket that is paused is not slow. */
  follow(socket: Socket): void;
  /** Said who it is. */
  settled(): void;
  /**
   * Bytes came.
   *
   * @param messages  how many messages ended with them
   * @param isWithin  another one has begun, and not ended
   */
  progressed(messages: number, isWithin: boolean): void;
}

interface Pace extends WatchedConnection {
  readonly socket: Socket;
  isOverdue(nowMs: number): boolean;
  /** What passed until now was not the peer's doing. */
  excuse(nowMs: number): void;
}

/** How often all connections are looked at: a part of the shortest limit, and never all the time. */
const LEAST_LOOK_MS = 50;
const LOOKS = 4;

/** Ends connections that take too long to say who they are, or to end what they began: whoever holds one holds memory. */
export class ConnectionWatch {
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #onSlow: () => void;
  readonly #paces = new Map<Socket, Pace>();
  #timer: Timer | undefined;

  /** @param onSlow  told of each that is ended */
  constructor(limits: ConnectionLimits, clock: Clock, onSlow: () => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#onSlow = onSlow;
  }

  /** Watch a connection until it closes. */
  add(socket: Socket): WatchedConnection {
    const pace = newPace(socket, this.#limits, this.#clock);
    this.#paces.set(socket, pace);
    socket.once("close", () => {
      this.#paces.delete(socket);
      if (this.#paces.size === 0) this.close();
    });
    this.#arm();
    return pace;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    const { firstWordMs, messageMs } = this.#limits;
    const delayMs = Math.max(LEAST_LOOK_MS, Math.min(firstWordMs, messageMs) / LOOKS);
    this.#timer ??= this.#clock.setTimer(() => {
      this.#timer = undefined;
      this.#look();
      if (this.#paces.size > 0) this.#arm();
    }, delayMs);
  }

  #look(): void {
    const nowMs = this.#clock.nowMs();
    for (const pace of this.#paces.values()) {
      // Not read for now, because the store or the broker has no room.
      if (pace.socket.isPaused()) pace.excuse(nowMs);
      else if (pace.isOverdue(nowMs)) {
        this.#onSlow();
        pace.socket.destroy();
      }
    }
  }
}

function newPace(raw: Socket, { firstWordMs, messageMs }: ConnectionLimits, clock: Clock): Pace {
  let socket = raw;
  let openedMs: number | undefined = clock.nowMs();
  let begunMs: number | undefined;
  return {
    get socket() {
      return socket;
    },
    follow: (other) => {
      socket = other;
    },
    settled: () => {
      openedMs = undefined;
    },
    progressed: (messages, isWithin) => {
      if (!isWithin) begunMs = undefined;
      else if (messages > 0 || begunMs === undefined) begunMs = clock.nowMs();
    },
    isOverdue: (nowMs) =>
      (openedMs !== undefined && nowMs - openedMs > firstWordMs) ||
      (begunMs !== undefined && nowMs - begunMs > messageMs),
    excuse: (nowMs) => {
      if (openedMs !== undefined) openedMs = nowMs;
      if (begunMs !== undefined) begunMs = nowMs;
    },
  };
}
