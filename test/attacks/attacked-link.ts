import type { LoopbackEnd } from "@lockstep/cloud-node";
import { Loopback, type Transport } from "@lockstep/edge-sdk";

/** What somebody on a line lets pass of a message: it, others, or nothing. */
export type Passage = (bytes: Uint8Array) => readonly Uint8Array[];

/** A line between a device and a node on which somebody sits: hears all, and decides what arrives. */
export class AttackedLink {
  /** The device's end. */
  readonly transport: Transport;
  /** The node's end. */
  readonly far: LoopbackEnd;
  /** What the device said, and what it was to hear. */
  readonly up: Uint8Array[] = [];
  readonly down: Uint8Array[] = [];
  passUp: Passage = (bytes) => [bytes];
  passDown: Passage = (bytes) => [bytes];
  readonly #loopback = new Loopback();
  #say: (bytes: Uint8Array) => void = () => {};

  constructor() {
    const loopback = this.#loopback;
    this.transport = loopback.transport;
    this.far = {
      listen: (handlers) => {
        this.#say = (bytes) => handlers.message(bytes);
        loopback.listen({
          connected: () => handlers.connected(),
          disconnected: () => handlers.disconnected(),
          message: (bytes) => {
            this.up.push(bytes);
            for (const passed of this.passUp(bytes)) handlers.message(passed);
          },
        });
      },
      send: (bytes) => {
        this.down.push(bytes);
        for (const passed of this.passDown(bytes)) loopback.send(passed);
      },
      drop: (reason) => loopback.drop(reason),
    };
  }

  /** Say something to the node in the device's place. */
  sayUp(bytes: Uint8Array): void {
    this.#say(bytes);
  }

  /** Say something to the device in the node's place. */
  sayDown(bytes: Uint8Array): void {
    this.#loopback.send(bytes);
  }
}
