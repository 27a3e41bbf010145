import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { JobAnswer, JobRow, JobsAnswer } from "../../api/schemas/job-schema.ts";
import type { BlobRef } from "../../jobs/blob-store.ts";
import type { JobSpec, JobState } from "../../jobs/job.ts";
import type { JobFilter } from "../../jobs/job-queue.ts";
import { verified } from "../../jobs/verified-bytes.ts";
import { CommandError } from "../command-error.ts";
import type { JobDoor, Moving } from "./job-door.ts";

const HTTP_UNAUTHORIZED = 401;
const HTTP_NOT_FOUND = 404;
/** A node is asked again so often while nothing is told. */
const ASK_AGAIN_MS = 500;
/** An upload that is broken off goes on, as long as each time more of it is kept. */
const BETWEEN_TRIES_MS = 1_000;
const PIECE_BYTES = 1_048_576;

/** The jobs of a node, over its API. Every call throws {CommandError}: `not-reachable`, `refused`. */
export class NodeDoor implements JobDoor {
  readonly #url: string;
  readonly #identity: Readonly<Record<string, string>>;

  /** @param url  of the node's page. @param token  to show to it; undefined: none */
  constructor(url: string, token: string | undefined) {
    this.#url = url.replace(/\/+$/, "");
    this.#identity = token === undefined ? {} : { authorization: `Bearer ${token}` };
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
    for (let keptBefore = -1; ; ) {
      const kept = await this.#kept(ref, moving.signal);
      moving.onProgress(kept);
      // Without a byte there is no range to send: the whole, empty body is.
      if (kept === ref.bytes && ref.bytes > 0) return;
      try {
        await this.#send(file, ref, kept, moving);
        return;
      } catch (error) {
        const isCut = error instanceof CommandError && error.code === "not-reachable";
        if (!isCut || moving.signal.aborted || kept <= keptBefore) throw error;
        keptBefore = kept;
        await setTimeout(BETWEEN_TRIES_MS, undefined, { signal: moving.signal });
      }
    }
  }

  async *read(ref: BlobRef, moving: Moving): AsyncGenerator<Uint8Array> {
    const response = await this.#fetch("GET", `/blobs/${ref.sha256}`, { signal: moving.signal });
    if (!response.ok || response.body === null) throw await this.#refusal(response);
    yield* verified(response.body, ref, moving);
  }

  async change(ms: number, signal: AbortSignal): Promise<void> {
    await setTimeout(Math.min(ms, ASK_AGAIN_MS), undefined, { signal }).catch(() => {});
  }

  async close(): Promise<void> {}

  /** How many bytes of a blob the node has. */
  async #kept({ sha256, bytes }: BlobRef, signal: AbortSignal): Promise<number> {
    const response = await this.#fetch("HEAD", `/blobs/${sha256}`, { signal });
    if (response.ok) return bytes;
    const kept = Number(response.headers.get("upload-offset") ?? Number.NaN);
    if (response.status === HTTP_NOT_FOUND && Number.isSafeInteger(kept)) return kept;
    // The head of an answer says no why: asked in full it does.
    throw await this.#refusal(await this.#fetch("GET", `/blobs/${sha256}`, { signal }));
  }

  async #send(file: string, ref: BlobRef, kept: number, { onProgress, signal }: Moving): Promise<void> {
    let sent = kept;
    const source = createReadStream(file, { start: kept, highWaterMark: PIECE_BYTES });
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        yield chunk;
        sent += chunk.length;
        onProgress(sent);
      }
    };
    const length = { "content-length": String(ref.bytes - kept) };
    const range = ref.bytes === 0 ? {} : { "content-range": `bytes ${kept}-${ref.bytes - 1}/${ref.bytes}` };
    const headers = { "content-type": "application/octet-stream", ...length, ...range };
    const body = ref.bytes === 0 ? "" : (Readable.toWeb(Readable.from(counted())) as ReadableStream);
    const response = await this.#fetch("PUT", `/blobs/${ref.sha256}`, { body, headers, signal });
    if (!response.ok) throw await this.#refusal(response);
  }

  async #json<Answer>(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await this.#fetch(method, path, init);
    if (!response.ok) throw await this.#refusal(response);
    return (await response.json()) as Answer;
  }

  async #fetch(method: string, path: string, { headers, ...init }: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.#url}/api/v1${path}`, {
        ...init,
        // Where it leads elsewhere is not followed: the token is for this node.
        ...{ method, redirect: "error", headers: { ...this.#identity, ...(headers as Record<string, string>) } },
        ...(typeof init.body === "object" ? { duplex: "half" } : {}),
      } as RequestInit);
    } catch (cause) {
      if (init.signal?.aborted === true) throw cause;
      const remedy = "start `lockstep serve`, or say where its page is with --queue URL";
      throw new CommandError("not-reachable", `no node answers at ${this.#url}`, remedy, { cause });
    }
  }

  async #refusal(response: Response): Promise<CommandError> {
    const problem: unknown = await response.json().catch(() => undefined);
    if (typeof problem === "object" && problem !== null && "detail" in problem) {
      const remedy = response.status === HTTP_UNAUTHORIZED ? "show one with --token-file FILE, or LOCKSTEP_TOKEN" : "";
      return new CommandError("refused", String(problem.detail), remedy);
    }
    const remedy = "give the address of a node's page";
    return new CommandError("not-reachable", `${this.#url} answers ${response.status}, and is no node`, remedy);
  }
}
