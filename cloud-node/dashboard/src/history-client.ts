import type { BucketsAnswer } from "../../src/api/schemas/history-schema.ts";
import type { TimeSpan } from "./time-span.ts";

/** Why something that was asked for did not come. */
export interface AskFailure {
  /** What, with value and limit, and what to do. */
  readonly text: string;
  /** The server's word for it; "unreachable" when it did not answer. */
  readonly code: string;
}

/** What came of a question: an answer, or why there is none; nothing at all when a newer question took its place. */
export type Asked<Answer> = { readonly answer: Answer } | { readonly failure: AskFailure } | undefined;

/** Ask the API for JSON. */
export async function ask<Answer>(path: string, signal?: AbortSignal): Promise<Asked<Answer>> {
  try {
    const response = await fetch(`/api/v1/${path}`, signal === undefined ? {} : { signal });
    const body = (await response.json()) as Answer & { readonly detail?: string; readonly code?: string };
    if (response.ok) return { answer: body };
    return { failure: { text: body.detail ?? `the node said ${response.status}`, code: body.code ?? "internal" } };
  } catch (cause) {
    if (signal?.aborted === true) return undefined;
    const reason = cause instanceof SyntaxError ? "its answer was cut off" : "it does not answer";
    return { failure: { text: `The node cannot be asked: ${reason}. Is it running?`, code: "unreachable" } };
  }
}

/** Most buckets that one answer has. */
const MAX_BUCKETS = 4_000;
const BUCKETS_PER_PIXEL = 2;

/** Asks for buckets of one device's past; a newer question takes the place of the one before. */
export class HistoryClient<Answer = BucketsAnswer> {
  readonly #path: string;
  #current: AbortController | undefined;

  /** @param what  "history", or "truth" of a device whose truth is known */
  constructor(device: string, what: "history" | "truth" = "history") {
    this.#path = `devices/${encodeURIComponent(device)}/${what}`;
  }

  /** @param widthPx  of the plot: there are one to two buckets for each pixel. @param channels  none: all */
  async load(span: TimeSpan, widthPx: number, channels: readonly string[]): Promise<Asked<Answer>> {
    this.cancel();
    const current = new AbortController();
    this.#current = current;
    const query = new URLSearchParams({
      from: String(span.fromUs),
      to: String(span.toUs),
      buckets: String(Math.min(MAX_BUCKETS, Math.max(2, Math.floor(BUCKETS_PER_PIXEL * widthPx)))),
    });
    if (channels.length > 0) query.set("channels", channels.join(","));
    return await ask(`${this.#path}?${query}`, current.signal);
  }

  /** Nobody wants the answer any more. */
  cancel(): void {
    this.#current?.abort();
    this.#current = undefined;
  }
}
