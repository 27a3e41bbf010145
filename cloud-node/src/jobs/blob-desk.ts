import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isBlobName } from "@lockstep/protocol";
import type { Clock } from "../clock.ts";
import { InvariantError } from "../invariant-error.ts";
import type { BlobRef, BlobStore } from "./blob-store.ts";
import { MAX_OUTPUTS, type NamedBlob } from "./job.ts";
import { JobError } from "./job-error.ts";
import type { ThreadCallDesk, WriteTarget } from "./thread-messages.ts";

/** What waits between a thread and the store, or the store and a file. */
const WRITE_AHEAD_BYTES = 1024 * 1024;
/** What nobody names is collected after an hour: what was put within this time needs no renewing. */
const FRESH_MS = 600_000;

export interface BlobDeskOptions {
  readonly blobs: BlobStore;
  /** Folder of the attempt; the workload's own one is inside. */
  readonly folder: string;
  /** Keeps where a later attempt may go on. */
  readonly checkpoint: (ref: BlobRef) => Promise<void>;
  readonly clock: Pick<Clock, "nowMs">;
}

/** A checkpoint that was fetched, beside the workload's own folder. */
export const CHECKPOINT_FILE = "checkpoint";
/** The workload's own folder. */
export const SCRATCH_FOLDER = "scratch";
/** One for all: an error of its own for each attempt costs more than a small job. */
const CLOSED = new JobError("cancelled", "the attempt is over", "nothing: another one begins anew");
/** In the workload's folder: inputs that it asked for as files. */
const INPUTS_FOLDER = "inputs";

/** The blobs of one attempt: read and written piece by piece for its thread, which never has more than one in memory. */
export class BlobDesk implements Pick<ThreadCallDesk, BlobCall> {
  readonly #options: BlobDeskOptions;
  readonly #ended = new AbortController();
  readonly #reads = new Map<number, AsyncIterator<Uint8Array>>();
  readonly #writes = new Map<number, OpenWrite>();
  readonly #files = new Map<string, Promise<string>>();
  readonly #outputs = new Map<string, { readonly blob: NamedBlob; readonly putMs: number }>();
  #lastNumber = 0;

  constructor(options: BlobDeskOptions) {
    this.#options = options;
  }

  /** What was written, in the order of the names' first use. */
  get outputs(): readonly NamedBlob[] {
    return [...this.#outputs.values()].map(({ blob }) => blob);
  }

  async "read-open"(ref: BlobRef | "checkpoint"): Promise<number> {
    const { blobs, folder } = this.#options;
    const { signal } = this.#ended;
    const source: AsyncIterable<Uint8Array> =
      ref === "checkpoint" ? createReadStream(join(folder, CHECKPOINT_FILE), { signal }) : blobs.get(ref, { signal });
    return this.#numbered(this.#reads, source[Symbol.asyncIterator]());
  }

  async "read-next"(read: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const step = await known(this.#reads, read).next();
    // A copy of its own memory: it is handed over, and the store may use its own again.
    return step.done === true ? undefined : new Uint8Array(step.value);
  }

  async "read-close"(read: number): Promise<undefined> {
    await this.#reads.get(read)?.return?.();
    this.#reads.delete(read);
  }

  file(input: NamedBlob): Promise<string> {
    const known = this.#files.get(input.name);
    if (known !== undefined) return known;
    const fetched = this.#fetch(input);
    this.#files.set(input.name, fetched);
    // Who asks again may be luckier.
    fetched.catch(() => this.#files.delete(input.name));
    return fetched;
  }

  async "write-open"(target: WriteTarget): Promise<number> {
    if (target.kind === "output") this.#checkOutput(target.name);
    return this.#numbered(this.#writes, new OpenWrite(target, this.#options.blobs, this.#ended.signal));
  }

  async "write-chunk"(write: number, bytes: Uint8Array): Promise<undefined> {
    await known(this.#writes, write).push(bytes);
  }

  async "write-end"(write: number): Promise<BlobRef> {
    const open = known(this.#writes, write);
    this.#writes.delete(write);
    const ref = await open.end();
    await this.#keep(open.target, ref);
    return ref;
  }

  async "write-break"(write: number): Promise<undefined> {
    this.#writes.get(write)?.break();
    this.#writes.delete(write);
  }

  async "write-file"(name: string, path: string): Promise<BlobRef> {
    this.#checkOutput(name);
    const { signal } = this.#ended;
    const source = (start: number) => createReadStream(path, { start, highWaterMark: WRITE_AHEAD_BYTES, signal });
    const ref = await this.#options.blobs.put(source, { signal });
    await this.#keep({ kind: "output", name }, ref);
    return ref;
  }

  /**
   * Renew what was written a while ago: no job names it before this one is done, and what nobody names is collected.
   *
   * @throws {JobError} `missing-blob` when some of it is gone already
   */
  async renew(): Promise<void> {
    const { blobs, clock } = this.#options;
    for (const { blob, putMs } of this.#outputs.values()) {
      if (clock.nowMs() - putMs < FRESH_MS || (await blobs.renew(blob))) continue;
      const problem = `the output ${blob.name} is not there any more`;
      throw new JobError("missing-blob", problem, "nothing: it is made again");
    }
  }

  /** Let go of everything that is still open. */
  async close(): Promise<void> {
    this.#ended.abort(CLOSED);
    for (const write of this.#writes.values()) write.break();
    this.#writes.clear();
    for (const read of [...this.#reads.keys()]) await this["read-close"](read).catch(() => undefined);
  }

  async #fetch({ name, sha256, bytes }: NamedBlob): Promise<string> {
    checkName(name);
    const folder = join(this.#options.folder, SCRATCH_FOLDER, INPUTS_FOLDER);
    await mkdir(folder, { recursive: true });
    const file = join(folder, name);
    const { signal } = this.#ended;
    await pipeline(
      this.#options.blobs.get({ sha256, bytes }, { signal }),
      createWriteStream(file, { highWaterMark: 2 * WRITE_AHEAD_BYTES }),
      { signal },
    );
    return file;
  }

  async #keep(target: WriteTarget, ref: BlobRef): Promise<void> {
    if (target.kind === "checkpoint") await this.#options.checkpoint(ref);
    else this.#outputs.set(target.name, { blob: { name: target.name, ...ref }, putMs: this.#options.clock.nowMs() });
  }

  #checkOutput(name: string): void {
    checkName(name);
    if (this.#outputs.size < MAX_OUTPUTS || this.#outputs.has(name)) return;
    throw new JobError("too-large", `more than ${MAX_OUTPUTS} outputs`, "write fewer, larger ones");
  }

  #numbered<Thing>(things: Map<number, Thing>, thing: Thing): number {
    this.#lastNumber += 1;
    things.set(this.#lastNumber, thing);
    return this.#lastNumber;
  }
}

type BlobCall =
  | "read-open"
  | "read-next"
  | "read-close"
  | "file"
  | "write-open"
  | "write-chunk"
  | "write-end"
  | "write-break"
  | "write-file";

/** A blob on its way from a thread into the store. */
class OpenWrite {
  readonly target: WriteTarget;
  readonly #stream = new PassThrough({ highWaterMark: WRITE_AHEAD_BYTES });
  readonly #put: Promise<BlobRef>;

  constructor(target: WriteTarget, blobs: BlobStore, signal: AbortSignal) {
    this.target = target;
    // What breaks the stream is told by `put`.
    this.#stream.on("error", () => undefined);
    this.#put = blobs.put(() => this.#stream, { signal });
    this.#put.catch(() => this.#stream.destroy());
  }

  async push(bytes: Uint8Array): Promise<void> {
    if (this.#stream.destroyed) await this.#put;
    else if (!this.#stream.write(bytes)) await Promise.race([once(this.#stream, "drain"), this.#put]);
  }

  end(): Promise<BlobRef> {
    this.#stream.end();
    return this.#put;
  }

  break(): void {
    this.#stream.destroy(new JobError("cancelled", "the blob was not written to its end", "write it again"));
  }
}

/** A name that can be a file's. @throws {JobError} `bad-job` */
function checkName(name: string): void {
  if (isBlobName(name)) return;
  const remedy = "give 1 to 255 bytes without /, \\ and control characters";
  throw new JobError("bad-job", `${JSON.stringify(name)} is no name of a blob`, remedy);
}

function known<Thing>(things: ReadonlyMap<number, Thing>, number: number): Thing {
  const thing = things.get(number);
  if (thing === undefined) throw new InvariantError(`a thread asked for ${number}, which is not open`);
  return thing;
}
