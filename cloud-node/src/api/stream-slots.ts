import type { ServerResponse } from "node:http";
import { ApiProblem } from "./problem.ts";

/** Something long that is being sent. */
export interface OpenStream {
  /** Bytes that wait for its reader. */
  readonly queuedBytes: number;
  end(): void;
}

/** What is being sent as a response. @param end  ends it */
export function openStream(response: ServerResponse, end: () => void): OpenStream {
  return {
    get queuedBytes() {
      return response.writableLength;
    },
    end,
  };
}

/** Counts what is being sent, so that no crowd of readers takes the node's memory, and ends it when the node ends. */
export class StreamSlots {
  readonly #limit: number;
  readonly #open = new Set<OpenStream>();

  /** @param limit  streams at once */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Bytes that wait for readers. */
  get queuedBytes(): number {
    return [...this.#open].reduce((sum, { queuedBytes }) => sum + queuedBytes, 0);
  }

  /** Take a slot. @returns gives it back @throws {ApiProblem} `too-many-streams` */
  take(stream: OpenStream): () => void {
    if (this.#open.size >= this.#limit) {
      const detail = `${this.#open.size} streams are open, and ${this.#limit} is the limit: close some, or try again later`;
      throw new ApiProblem("too-many-streams", detail, { limit: this.#limit });
    }
    this.#open.add(stream);
    return () => this.#open.delete(stream);
  }

  /** End all of them. */
  endAll(): void {
    for (const stream of this.#open) stream.end();
  }
}
