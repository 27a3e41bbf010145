import { decodeFrame } from "@lockstep/protocol";
import { checkMessage, type OutTopic, type Transport, TransportError, type TransportEvents } from "../transport.ts";
import { SerialLine, type SerialLineOptions } from "./serial-line.ts";

export interface SerialTransportOptions extends SerialLineOptions {
  /**
   * Told in words why there is no talking: the port cannot be opened (each reason once, until it opens or there is
   * another), or nothing but damage comes over it. The line goes on trying.
   */
  readonly onProblem?: ((problem: string) => void) | undefined;
  /** A whole frame came, after a problem. */
  readonly onRecovery?: (() => void) | undefined;
}

/** So many damaged pieces one after the other are no noise between frames. */
const DAMAGED_TOLD = 16;

/**
 * Messages over a serial line, each stuffed and ended by a zero. The device says its birth whenever its port opens; its
 * presence goes out only as a good-bye, because the line itself tells nobody that a device is there.
 *
 * @param options  `openPort` makes the port: `openSerialPort` for one of this computer
 */
export function serialTransport(options: SerialTransportOptions): Transport {
  return new SerialTransport(options);
}

class SerialTransport implements Transport {
  readonly #line: SerialLine;
  readonly #onProblem: (problem: string) => void;
  readonly #onRecovery: () => void;
  #hasProblem = false;
  #wasOpened = false;
  /** Pieces left out since the last whole frame. */
  #damaged = 0;

  constructor({ onProblem = () => {}, onRecovery = () => {}, ...options }: SerialTransportOptions) {
    this.#line = new SerialLine(options);
    this.#onProblem = (problem) => {
      this.#hasProblem = true;
      onProblem(problem);
    };
    this.#onRecovery = onRecovery;
  }

  async open(events: TransportEvents): Promise<void> {
    if (this.#wasOpened) throw new TransportError("already-open", {});
    this.#wasOpened = true;
    this.#line.open({
      opened: () => events.connected(),
      closed: (reason) => events.disconnected(reason),
      failed: (problem) => this.#onProblem(problem),
      frame: (bytes) => {
        this.#damaged = 0;
        if (this.#hasProblem) this.#onRecovery();
        this.#hasProblem = false;
        events.message(bytes);
      },
      damaged: (reason) => {
        this.#damaged += 1;
        if (this.#damaged === DAMAGED_TOLD) {
          this.#onProblem(`nothing but damage on the serial line (the last piece: ${reason}): is its rate right?`);
        }
      },
      drained: () => events.drained(),
    });
  }

  send(topic: OutTopic, bytes: Uint8Array): boolean {
    checkMessage(bytes);
    if (topic === "presence" && !isGoodBye(bytes)) return this.#line.isOpen;
    return this.#line.send(bytes);
  }

  useAlias(): void {}

  close(): Promise<void> {
    this.#wasOpened = true;
    return this.#line.close();
  }

  destroy(): Promise<void> {
    this.#wasOpened = true;
    return this.#line.destroy();
  }
}

function isGoodBye(presence: Uint8Array): boolean {
  const frame = decodeFrame(presence);
  return frame.kind === "presence" && !frame.online;
}
