import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, open, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { median } from "./statistics.ts";

const CHUNK_BYTES = 1 << 20;

/**
 * The disk's own copy of a file, now and again: neither the disk nor the machine's memory is as fast twice.
 *
 * Each copy goes into a new file, is on the disk when its time ends, and is removed then.
 */
export class DiskCopy {
  readonly #file: string;
  readonly #systemMs: number[] = [];
  readonly #streamMs: number[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /** Copy it once by each. */
  async measure(): Promise<void> {
    this.#systemMs.push(await this.#timed((to) => systemCopy(this.#file, to)));
    this.#streamMs.push(await this.#timed((to) => streamCopy(this.#file, to)));
  }

  /** As `cp` and `sync` do it: the bytes never leave the kernel. Median, ms. */
  get systemMs(): number {
    return median(this.#systemMs);
  }

  /** By a process that has the bytes go through its memory, as one that hashes them must. Median, ms. */
  get streamMs(): number {
    return median(this.#streamMs);
  }

  async #timed(copy: (to: string) => Promise<void>): Promise<number> {
    const to = `${this.#file}.copy`;
    const startedMs = performance.now();
    await copy(to);
    const ms = performance.now() - startedMs;
    await rm(to);
    return ms;
  }
}

async function systemCopy(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const handle = await open(to, "r+");
  await handle.sync();
  await handle.close();
}

async function streamCopy(from: string, to: string): Promise<void> {
  await pipeline(
    createReadStream(from, { highWaterMark: CHUNK_BYTES }),
    createWriteStream(to, { highWaterMark: CHUNK_BYTES, flush: true }),
  );
}
