import { Duplex } from "node:stream";
import { JobError } from "./job-error.ts";

/**
 * A stream of bytes as messages of a broker, which may come twice, late or never. Each is
 *
 *     kind u8 · number u32, big-endian · bytes
 *
 *     0  data    number: of this one, from 0           bytes: 1 … 65,530
 *     1  taken   number: data that was read so far     none
 *     2  end     number: data that was sent in all     none
 *     3  gone    0                                     none
 *
 * Data goes on while fewer than {@link WINDOW} messages are neither read nor lost: a broker keeps what its client has not
 * read, and what is too much for it it drops. What is out of turn, or more than that, ends the stream.
 */
const DATA = 0;
const TAKEN = 1;
const END = 2;
const GONE = 3;
const HEAD_BYTES = 5;

/** Sixteen of 64 KiB: 1 MiB under way, as much as a second of a fast line, for each connection. */
const WINDOW = 16;
/** Told so often: half a window, so that a sender need not stop. */
const TOLD_EVERY = WINDOW / 2;
/** With its head as long as a frame may be, which brokers are tried with. */
const MAX_DATA_BYTES = 65_535 - HEAD_BYTES;
/** Read ahead, and written ahead. */
const HIGH_WATER_BYTES = 256 * 1024;

/** Whether a message is the first one of a stream. */
export function opensStream(message: Uint8Array): boolean {
  return isData(message) && message.length > HEAD_BYTES && numberOf(message) === 0;
}

/** Whether a message is from somebody who thinks that there is a stream. */
export function isData(message: Uint8Array): boolean {
  return message[0] === DATA;
}

/** The message that there is no such stream, or none any more. */
export function goneMessage(): Buffer {
  return messageOf(GONE, 0);
}

/** One of the two ends of a stream over a broker. */
export class BrokerStream extends Duplex {
  /** What the broker's protocol and this one add to every write, bytes. */
  readonly overheadBytes: number;
  readonly #publish: (message: Buffer) => void;
  readonly #waiting: { readonly bytes: Buffer; readonly done: () => void }[] = [];
  #sent = 0;
  #readThere = 0;
  #come = 0;
  #told = 0;
  /** The other end sends no more data. */
  #hasEnded = false;
  /** The other end is not there any more: no data is for it. */
  #isGone = false;

  /** @param overheadBytes  of the broker's own protocol, for each message */
  constructor(publish: (message: Buffer) => void, overheadBytes: number) {
    const highWaterMark = HIGH_WATER_BYTES;
    super({ allowHalfOpen: false, readableHighWaterMark: highWaterMark, writableHighWaterMark: highWaterMark });
    this.#publish = publish;
    this.overheadBytes = overheadBytes + HEAD_BYTES;
  }

  /** A message that the other end published. */
  receive(message: Uint8Array): void {
    if (this.destroyed || this.#isGone) return;
    if (message.length < HEAD_BYTES) this.#break("a message is too short");
    else if (message[0] === DATA) this.#takeData(numberOf(message), message.subarray(HEAD_BYTES));
    else if (message[0] === TAKEN) this.#goOn(numberOf(message));
    else if (message[0] === END) this.#takeEnd(numberOf(message));
    else if (message[0] === GONE) this.#takeGone();
    else this.#break(`there is no message of kind ${message[0]}`);
  }

  override _read(): void {
    if (this.#come - this.#told < TOLD_EVERY) return;
    this.#told = this.#come;
    this.#say(TAKEN, this.#told);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (let at = 0; at < chunk.length; at += MAX_DATA_BYTES) {
      const isLast = at + MAX_DATA_BYTES >= chunk.length;
      this.#waiting.push({ bytes: chunk.subarray(at, at + MAX_DATA_BYTES), done: isLast ? done : () => undefined });
    }
    if (chunk.length === 0) done();
    this.#sendOn();
  }

  override _final(done: () => void): void {
    this.#say(END, this.#sent);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Also to one who says that it is gone: anybody could have said so.
    if (this.#isGone || !this.#hasEnded || !this.writableFinished) this.#publish(goneMessage());
    done(error);
  }

  #takeData(number: number, bytes: Uint8Array): void {
    // A broker may say twice what it does not know to have come.
    if (number < this.#come) return;
    if (this.#hasEnded) this.#break("data comes after its end");
    else if (number > this.#come) this.#break(`message ${this.#come} was lost`);
    else if (number >= this.#told + WINDOW) this.#break(`more than ${WINDOW} messages came that nobody had read`);
    else if (bytes.length === 0 || bytes.length > MAX_DATA_BYTES) this.#break(`${bytes.length} bytes in one message`);
    else {
      this.#come += 1;
      this.push(bytes);
    }
  }

  #takeEnd(number: number): void {
    if (number === this.#come) this.#end();
    else this.#break(`it ended after ${number} messages, and ${this.#come} came`);
  }

  /** The other end has nothing of this stream any more; what it said before is read all the same. */
  #takeGone(): void {
    this.#isGone = true;
    for (const { done } of this.#waiting.splice(0)) done();
    this.#end();
  }

  #end(): void {
    if (!this.#hasEnded) this.push(null);
    this.#hasEnded = true;
  }

  #goOn(readThere: number): void {
    if (readThere > this.#sent) {
      this.#break(`${readThere} of ${this.#sent} messages are said to have been read`);
      return;
    }
    this.#readThere = Math.max(this.#readThere, readThere);
    this.#sendOn();
  }

  #sendOn(): void {
    while (this.#isGone || this.#sent - this.#readThere < WINDOW) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#say(DATA, this.#sent, next.bytes);
      this.#sent += 1;
      next.done();
    }
  }

  #say(kind: number, number: number, bytes?: Uint8Array): void {
    if (!this.#isGone) this.#publish(messageOf(kind, number, bytes));
  }

  #break(how: string): void {
    this.destroy(new JobError("peer-left", `a connection over a broker: ${how}`, "nothing: the job is tried again"));
  }
}

function numberOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset, message.length).getUint32(1);
}

function messageOf(kind: number, number: number, bytes: Uint8Array = new Uint8Array()): Buffer {
  const message = Buffer.alloc(HEAD_BYTES + bytes.length);
  message[0] = kind;
  message.writeUInt32BE(number, 1);
  message.set(bytes, HEAD_BYTES);
  return message;
}
