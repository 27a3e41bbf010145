import { decodeFrame } from "@lockstep/protocol";
import { checkMessage, type OutTopic, type Transport, TransportError, type TransportEvents } from "../transport.ts";
import { SerialLine, type SerialLineOptions } from "./serial-line.ts";

/**
 * Messages over a serial line, each stuffed and ended by a zero. The device says its birth whenever its port opens; its
 * presence goes out only as a good-bye, because the line itself tells nobody that a device is there.
 *
 * @param options  `openPort` makes the port: `openSerialPort` for one of this computer
 */
export function serialTransport(options: SerialLineOptions): Transport {
  return new SerialTransport(new SerialLine(options));
}

class SerialTransport implements Transport {
  readonly #line: SerialLine;
  #wasOpened = false;

  constructor(line: SerialLine) {
    this.#line = line;
  }

  async open(events: TransportEvents): Promise<void> {
    if (this.#wasOpened) throw new TransportError("already-open", {});
    this.#wasOpened = true;
    this.#line.open({
      opened: () => events.connected(),
      closed: (reason) => events.disconnected(reason),
      failed() {},
      frame: (bytes) => events.message(bytes),
      damaged() {},
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
