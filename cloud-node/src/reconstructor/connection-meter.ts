import type { TrafficMeter } from "./traffic-meter.ts";

/** Bytes and chunks of one socket, put down to a device as soon as it is known whose it is. */
export class ConnectionMeter {
  #target: TrafficMeter | undefined;
  #bytesUp = 0;
  #bytesDown = 0;
  #packetsUp = 0;
  #packetsDown = 0;

  get isAttributed(): boolean {
    return this.#target !== undefined;
  }

  up(bytes: number): void {
    this.#bytesUp += bytes;
    this.#packetsUp += 1;
    this.#hand();
  }

  down(bytes: number): void {
    this.#bytesDown += bytes;
    this.#packetsDown += 1;
    this.#hand();
  }

  /** Everything counted so far, and from now on, is this device's. */
  attribute(target: TrafficMeter): void {
    target.isSocketCounted = true;
    this.#target = target;
    this.#hand();
  }

  #hand(): void {
    const target = this.#target;
    if (target === undefined) return;
    target.socketBytesUp += this.#bytesUp;
    target.socketBytesDown += this.#bytesDown;
    target.packetsUp += this.#packetsUp;
    target.packetsDown += this.#packetsDown;
    this.#bytesUp = 0;
    this.#bytesDown = 0;
    this.#packetsUp = 0;
    this.#packetsDown = 0;
  }
}
