import type { ServerResponse } from "node:http";
import { ApiProblem } from "./problem.ts";
import type { Visitor } from "./visitor.ts";

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
  readonly #limitPerToken: number;
  readonly #open = new Map<OpenStream, Visitor>();

  /** @param limit  streams at once. @param limitPerToken  and of one token */
  constructor(limit: number, limitPerToken: number) {
    this.#limit = limit;
    this.#limitPerToken = limitPerToken;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Bytes that wait for readers. */
  get queuedBytes(): number {
    return [...this.#open.keys()].reduce((sum, { queuedBytes }) => sum + queuedBytes, 0);
  }

  /** Take a slot. @param visitor  who reads it @returns gives it back @throws {ApiProblem} `too-many-streams` */
  take(stream: OpenStream, visitor: Visitor): () => void {
    if (this.#open.size >= this.#limit) {
      const detail = `${this.#open.size} streams are open, and ${this.#limit} is the limit: close some, or try again later`;
      throw new ApiProblem("too-many-streams", detail, { limit: this.#limit });
    }
    const { token } = visitor;
    const ofToken = [...this.#open.values()].filter((other) => other.token === token).length;
    if (token !== undefined && ofToken >= this.#limitPerToken) {
      const detail = `${ofToken} streams of the token ${visitor.name} are open, and ${this.#limitPerToken} is the limit: close some`;
      throw new ApiProblem("too-many-streams", detail, { limit: this.#limitPerToken });
    }
    this.#open.set(stream, visitor);
    return () => this.#open.delete(stream);
  }

  /** End those of whoever is in no more. */
  endStrangers(): void {
    for (const [stream, visitor] of this.#open) if (!visitor.isIn()) stream.end();
  }

  /** End all of them. */
  endAll(): void {
    for (const stream of this.#open.keys()) stream.end();
  }
}
