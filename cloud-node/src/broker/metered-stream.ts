import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** What happens to the bytes of a stream on their way. */
export interface StreamTap {
  /** Bytes came. @returns false: what they are part of is refused, and the connection ends */
  up(chunk: Buffer): boolean;
  /** So many bytes go out. */
  down(bytes: number): void;
}

/** A socket as the broker sees it, with every chunk looked at on its way through. */
export class MeteredStream extends Duplex {
  readonly #socket: Socket;
  readonly #tap: StreamTap;
  #isHeld = false;
  /** Whether the broker takes more than it has. */
  #isAsked = false;

  constructor(socket: Socket, tap: StreamTap) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#tap = tap;
    socket.on("data", (chunk: Buffer) => {
      if (!tap.up(chunk)) this.destroy();
      else if (!this.push(chunk)) {
        this.#isAsked = false;
        socket.pause();
      }
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  /** Read nothing more from the socket for now. */
  hold(): void {
    this.#isHeld = true;
    this.#socket.pause();
  }

  letGo(): void {
    this.#isHeld = false;
    if (this.#isAsked) this.#socket.resume();
  }

  override _read(): void {
    this.#isAsked = true;
    if (!this.#isHeld) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#tap.down(chunk.length);
    this.#socket.write(chunk, done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
