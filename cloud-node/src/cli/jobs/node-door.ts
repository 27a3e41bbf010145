import { createReadStream } from "node:fs";
import { ReadableStream as NodeStream } from "node:stream/web";
import { setTimeout } from "node:timers/promises";
import type { JobAnswer, JobRow, JobsAnswer } from "../../api/schemas/job-schema.ts";
import type { BlobRef } from "../../jobs/blob-store.ts";
import type { JobSpec, JobState } from "../../jobs/job.ts";
import type { JobFilter } from "../../jobs/job-queue.ts";
import { verified } from "../../jobs/verified-bytes.ts";
import { CommandError } from "../command-error.ts";
import { FILE_PIECE_BYTES, type JobDoor, type Moving } from "./job-door.ts";
import { plainText } from "./plain-text.ts";

const HTTP_UNAUTHORIZED = 401;
const HTTP_NOT_FOUND = 404;
/** Of a request that the node cannot answer now, and may later: it was cut off, or the node is busy, or its queue away. */
const LATER: ReadonlySet<number> = new Set([408, 503]);
/** A node is asked again so often while nothing is told. */
const ASK_AGAIN_MS = 500;
/** An upload that is broken off goes on so long after. */
const BETWEEN_TRIES_MS = 1_000;
/** And is given up after so many tries in a row of which nothing more was kept: a node may start anew meanwhile. */
const MOST_TRIES_IN_VAIN = 30;
const BINARY = "application/octet-stream";
const NO_NODE = "give the address of a node's page";

/** The jobs of a node, over its API. Every call throws {CommandError}: `not-reachable`, `refused`, `interrupted`. */
export class NodeDoor implements JobDoor {
  readonly #url: string;
  readonly #identity: Readonly<Record<string, string>>;
  readonly #interrupt: AbortSignal;

  /**
   * @param url  of the node's page
   * @param token  to show to it; undefined: none
   * @param interrupt  ends whatever is waited for
   */
  constructor(url: string, token: string | undefined, interrupt: AbortSignal) {
    this.#url = url.replace(/\/+$/, "");
    this.#identity = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#interrupt = interrupt;
  }

  async submit(spec: JobSpec, maxAttempts: number | undefined): Promise<{ id: string; state: JobState }> {
    const body = JSON.stringify({ ...spec, maxAttempts });
    return await this.#json("POST", "/jobs", { body, headers: { "content-type": "application/json" } });
  }

  async get(id: string): Promise<JobAnswer> {
    return await this.#json("GET", `/jobs/${id}`);
  }

  async list({ states, workload, before, limit }: JobFilter): Promise<JobRow[]> {
    const query = new URLSearchParams({ limit: String(limit) });
    if (states !== undefined) query.set("state", states.join(","));
    if (workload !== undefined) query.set("workload", workload);
    if (before !== undefined) query.set("before", before);
    return [...(await this.#json<JobsAnswer>("GET", `/jobs?${query}`)).jobs];
  }

  async log(id: string): Promise<string[]> {
    return (await this.#json<{ lines: string[] }>("GET", `/jobs/${id}/log`)).lines;
  }

  async cancel(id: string): Promise<JobAnswer> {
    return await this.#json("POST", `/jobs/${id}/cancel`);
  }

  async retry(id: string): Promise<JobAnswer> {
    return await this.#json("POST", `/jobs/${id}/retry`);
  }

  async prune(beforeMs: number): Promise<string[]> {
    return (await this.#json<{ pruned: string[] }>("DELETE", `/jobs?endedBeforeMs=${beforeMs}`)).pruned;
  }

  async put(file: string, ref: BlobRef, moving: Moving): Promise<void> {
    let most = -1;
    for (let inVain = 0; ; inVain += 1) {
      try {
        const kept = await this.#kept(ref, moving.signal);
        moving.onProgress(kept ?? ref.bytes);
        if (kept === undefined) return;
        if (kept > most) inVain = 0;
        most = Math.max(most, kept);
        // All bytes may be there and not be the blob yet: the last one, sent again, makes them so. More are of no use.
        await this.#send(file, ref, kept > ref.bytes ? 0 : Math.max(0, Math.min(kept, ref.bytes - 1)), moving);
        return;
      } catch (error) {
        const isCut = error instanceof CommandError && error.code === "not-reachable";
        // A node that never answered is not waited for.
        if (!isCut || moving.signal.aborted || most === -1 || inVain >= MOST_TRIES_IN_VAIN) throw error;
        await setTimeout(BETWEEN_TRIES_MS, undefined, { signal: moving.signal });
      }
    }
  }

  async *read(ref: BlobRef, moving: Moving): AsyncGenerator<Uint8Array> {
    const response = await this.#fetch("GET", `/blobs/${ref.sha256}`, { signal: moving.signal });
    if (!response.ok || response.body === null) throw await this.#refusal(response);
    if (response.headers.get("content-type")?.startsWith(BINARY) !== true) throw this.#noNode(response.status);
    yield* verified(this.#whole(response.body), ref, moving);
  }

  async change(ms: number, signal: AbortSignal): Promise<void> {
    await setTimeout(Math.min(ms, ASK_AGAIN_MS), undefined, { signal }).catch(() => {});
  }

  async close(): Promise<void> {}

  /** How many bytes of a blob the node has, short of the blob itself; undefined: that is there. */
  async #kept({ sha256 }: BlobRef, signal: AbortSignal): Promise<number | undefined> {
    const response = await this.#fetch("HEAD", `/blobs/${sha256}`, { signal });
    if (response.ok) return undefined;
    const kept = Number(response.headers.get("upload-offset") ?? Number.NaN);
    if (response.status === HTTP_NOT_FOUND && Number.isSafeInteger(kept)) return kept;
    // The head of an answer says no why: asked in full it does.
    throw await this.#refusal(await this.#fetch("GET", `/blobs/${sha256}`, { signal }));
  }

  async #send(file: string, ref: BlobRef, kept: number, { onProgress, signal }: Moving): Promise<void> {
    let sent = kept;
    const source = createReadStream(file, { start: kept, highWaterMark: FILE_PIECE_BYTES });
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        yield chunk;
        sent += chunk.length;
        onProgress(sent);
      }
    };
    const length = { "content-length": String(ref.bytes - kept) };
    const range = ref.bytes === 0 ? {} : { "content-range": `bytes ${kept}-${ref.bytes - 1}/${ref.bytes}` };
    const headers = { "content-type": BINARY, ...length, ...range };
    const body = ref.bytes === 0 ? "" : (NodeStream.from(counted()) as ReadableStream);
    const response = await this.#fetch("PUT", `/blobs/${ref.sha256}`, { body, headers, signal });
    if (!response.ok) throw await this.#refusal(response);
  }

  async #json<Answer>(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await this.#fetch(method, path, init);
    if (!response.ok) throw await this.#refusal(response);
    const text = await response.text().catch((cause: unknown) => {
      throw this.#cut(cause);
    });
    try {
      return JSON.parse(text) as Answer;
    } catch (cause) {
      throw this.#noNode(response.status, { cause });
    }
  }

  /** The bytes of an answer; where it is broken off that is said. */
  async *#whole(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (cause) {
      throw this.#cut(cause);
    }
  }

  async #fetch(method: string, path: string, { headers, ...init }: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.#url}/api/v1${path}`, {
        ...{ signal: this.#interrupt, ...init },
        // Where it leads elsewhere is not followed: the token is for this node.
        ...{ method, redirect: "error", headers: { ...this.#identity, ...(headers as Record<string, string>) } },
        ...(typeof init.body === "object" ? { duplex: "half" } : {}),
      } as RequestInit);
    } catch (cause) {
      if (this.#interrupt.aborted) throw this.#stopped(cause);
      const remedy = "start `lockstep serve`, or say where its page is with --queue URL";
      throw new CommandError("not-reachable", `no node answers at ${this.#url}`, remedy, { cause });
    }
  }

  async #refusal(response: Response): Promise<CommandError> {
    const text = await response.text().catch((cause: unknown) => {
      throw this.#cut(cause);
    });
    const detail = detailIn(text);
    if (detail === undefined) return this.#noNode(response.status);
    const remedy = response.status === HTTP_UNAUTHORIZED ? "show one with --token-file FILE, or LOCKSTEP_TOKEN" : "";
    return new CommandError(LATER.has(response.status) ? "not-reachable" : "refused", plainText(detail), remedy);
  }

  /** An answer broke off before its end. */
  #cut(cause: unknown): CommandError {
    if (this.#interrupt.aborted) return this.#stopped(cause);
    const remedy = "try again; where it stays so, see the node's log";
    return new CommandError("not-reachable", `the answer of ${this.#url} broke off`, remedy, { cause });
  }

  #stopped(cause: unknown): CommandError {
    const problem = `stopped before ${this.#url} had answered`;
    return new CommandError("interrupted", problem, "what was asked may be done even so", { cause });
  }

  #noNode(status: number, options?: ErrorOptions): CommandError {
    return new CommandError("not-reachable", `${this.#url} answers ${status}, and is no node`, NO_NODE, options);
  }
}

/** What a node says is wrong; undefined: no node says this. */
function detailIn(text: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === "object" && problem !== null && "detail" in problem) return String(problem.detail);
  } catch {
    // HTML, as a rule.
  }
  return undefined;
}
