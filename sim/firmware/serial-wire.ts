import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { SeededRandom } from "../seeded-random.ts";
import { type LineNoise, NoiseSource } from "./line-noise.ts";

/** The device's end of a wire, while it is plugged in. */
export interface WireEnd {
  write(bytes: Uint8Array): unknown;
}

export interface SerialWireOptions {
  /** Where the other end connects: the path of a Unix socket. */
  readonly path: string;
  readonly noise?: LineNoise | undefined;
  readonly random: SeededRandom;
  /** Told what passes in either direction, before noise is put in. */
  readonly onUp: (chunk: Uint8Array) => void;
  readonly onDown: (chunk: Uint8Array) => void;
}

/**
 * A serial line between a device and whoever connects to a Unix socket, with a hand on it. What is sent while the other
 * end is not there is lost, as it is on a wire.
 */
export class SerialWire {
  readonly #options: SerialWireOptions;
  #server: Server | undefined;
  #far: Socket | undefined;
  #near: WireEnd | undefined;
  readonly #noise: NoiseSource;
  #connections = 0;

  constructor(options: SerialWireOptions) {
    this.#options = options;
    this.#noise = new NoiseSource(options.noise, options.random);
  }

  /** Times that the far end has connected. */
  get connections(): number {
    return this.#connections;
  }

  /** Pieces of noise so far. */
  get disturbed(): number {
    return this.#noise.disturbed;
  }

  /** Lay the wire, or mend it: the far end can connect. */
  async lay(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((socket) => this.#join(socket)).listen(this.#options.path);
    this.#server = server;
    await once(server, "listening");
  }

  /** Cut it: the far end loses its port, and finds none until the wire is laid again. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#far?.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** @param near  undefined: nothing is at the device's end any more */
  plugIn(near: WireEnd | undefined): void {
    this.#near = near;
  }

  /** Bytes from the device. */
  up(chunk: Uint8Array): void {
    this.#options.onUp(chunk);
    if (this.#far?.writable === true) this.#far.write(this.#noise.spoil(chunk));
  }

  #join(socket: Socket): void {
    // One port, one reader: a node that was killed is gone before the next one connects.
    this.#far?.destroy();
    this.#far = socket;
    this.#connections += 1;
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#far === socket) this.#far = undefined;
    });
    socket.on("data", (chunk) => {
      if (this.#near === undefined) return;
      this.#options.onDown(chunk);
      this.#near.write(this.#noise.spoil(chunk));
    });
  }
}
