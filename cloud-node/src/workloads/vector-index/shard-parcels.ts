import { JobError } from "../../jobs/job-error.ts";
import { type JobChannel, MAX_MESSAGE_BYTES } from "../../jobs/workload.ts";

/** Bytes that belong together. */
export type Parcel = readonly Uint8Array[];

/** Of a message: as much of a part as fits one. */
const PIECE_BYTES = MAX_MESSAGE_BYTES;

/**
 * Parcels of any size between the workers of one job, over messages that have a largest one: first how long each part is,
 * as JSON, then the parts.
 */
export class ShardParcels {
  readonly #channel: JobChannel;
  readonly #signal: AbortSignal;
  /** Messages of each place that nobody has asked for yet. */
  readonly #waiting = new Map<number, Uint8Array[]>();
  readonly #left = new Set<number>();

  constructor(channel: JobChannel, signal: AbortSignal) {
    this.#channel = channel;
    this.#signal = signal;
  }

  async send(to: number, ...parts: Parcel): Promise<void> {
    await this.#channel.send(to, Buffer.from(JSON.stringify(parts.map(({ length }) => length))));
    for (const part of parts) {
      for (let at = 0; at < part.length; at += PIECE_BYTES) {
        await this.#channel.send(to, part.subarray(at, at + PIECE_BYTES));
      }
    }
  }

  /** The next parcel of one place. Each part has memory of its own. @throws {JobError} `peer-left` when it is gone */
  async receive(from: number): Promise<Uint8Array<ArrayBuffer>[]> {
    const lengths: readonly number[] = JSON.parse(Buffer.from(await this.#message(from)).toString());
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (const length of lengths) {
      const part = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const piece = await this.#message(from);
        part.set(piece, at);
        at += piece.length;
      }
      parts.push(part);
    }
    return parts;
  }

  async #message(from: number): Promise<Uint8Array> {
    for (;;) {
      const message = this.#waiting.get(from)?.shift();
      if (message !== undefined) return message;
      if (this.#left.has(from)) {
        throw new JobError("peer-left", `worker ${from} is gone, and its shard with it`, "nothing: it is tried again");
      }
      const heard = await this.#channel.receive(this.#signal);
      if (heard.kind === "left") this.#left.add(heard.from);
      else if (heard.kind === "message")
        this.#waiting.set(heard.from, [...(this.#waiting.get(heard.from) ?? []), heard.message]);
    }
  }
}

/** A value as a part. */
export function jsonPart(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** The other way: between the workers of one job nobody is a stranger. */
export function fromJson<Value>(part: Uint8Array | undefined): Value {
  return JSON.parse(Buffer.from(part ?? new Uint8Array(0)).toString());
}

/** Numbers as a part; their bytes, not copied. */
export function bytesPart({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
