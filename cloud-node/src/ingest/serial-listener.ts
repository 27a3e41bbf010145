import type { Counters } from "../counters.ts";
import type { Logger } from "../logger.ts";
import { type FrameIntake, type FrameSource, frameSource } from "./frame-intake.ts";

/** The cloud's end of a serial line, which opens its port and opens it again; the SDK's `SerialLine` is one. */
export interface SerialEnd {
  open(events: {
    opened(): void;
    closed(reason: string): void;
    failed(problem: string): void;
    frame(bytes: Uint8Array): void;
    damaged(reason: string): void;
    drained(): void;
  }): void;
  /** @returns whether the frame was taken */
  send(frame: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

export interface SerialListenerOptions {
  /** What the line is called in the log. */
  readonly path: string;
  readonly end: SerialEnd;
  readonly intake: FrameIntake;
  readonly counters: Counters;
  readonly logger: Logger;
  /** Whether the device that spoke on the line may still. */
  maySpeak(device: string): boolean;
  gone(source: FrameSource): void;
}

/** So many damaged pieces one after the other are no noise between frames. */
const DAMAGED_TOLD = 16;

/**
 * A device at the other end of a serial line. While the port is gone its twin is offline; when it is back, the device
 * says who it is by a birth, or is known by a status of its boot.
 *
 * Answers that a full port does not take are dropped: a device that misses one asks again.
 */
export class SerialListener {
  readonly #options: SerialListenerOptions;
  #source: FrameSource | undefined;
  /** Pieces left out since the last whole frame. */
  #damaged = 0;

  constructor(options: SerialListenerOptions) {
    const { path, end, intake, counters, logger, gone } = options;
    this.#options = options;
    end.open({
      opened: () => {
        logger.info({ path }, "serial line is open");
        const source: FrameSource = frameSource(
          { transport: "serial", send: (frame) => void end.send(intake.encode(frame, source)) },
          { line: { replaced: gone } },
        );
        this.#source = source;
      },
      closed: (reason) => {
        logger.warn({ path, reason }, "serial line is gone; waiting for it to come back");
        counters.add("serial.closed");
        this.#leave();
      },
      failed: (problem) => logger.warn({ path, problem }, "serial line cannot be opened; waiting for it"),
      frame: (bytes) => {
        this.#damaged = 0;
        if (this.#source !== undefined) intake.receive(bytes, this.#source);
      },
      damaged: (reason) => {
        counters.add(`serial.${reason}`);
        this.#damaged += 1;
        logger.debug({ path, reason }, "damage on the serial line");
        if (this.#damaged === DAMAGED_TOLD)
          logger.warn({ path }, "nothing but damage on the serial line: is its rate right?");
      },
      drained() {},
    });
  }

  /** Take nothing more in for now. */
  pause(): void {
    this.#options.end.pause();
  }

  resume(): void {
    this.#options.end.resume();
  }

  /** The device that spoke here is gone for the node, where it may speak no more; another one may be put there. */
  endUnadmitted(): void {
    const source = this.#source;
    const { maySpeak, gone } = this.#options;
    if (source?.device === undefined || maySpeak(source.device)) return;
    gone(source);
    source.device = undefined;
  }

  /** Give the port back, once what was sent has left. */
  async close(): Promise<void> {
    this.#leave();
    await this.#options.end.close();
  }

  #leave(): void {
    if (this.#source !== undefined) this.#options.gone(this.#source);
    this.#source = undefined;
  }
}
