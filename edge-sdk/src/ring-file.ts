import { closeSync, constants, fdatasyncSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { RingChange } from "./link.ts";
import { SessionError } from "./session-error.ts";

/**
 * The ring's copy on disk: written where it changed, before anything that depends on it is sent. A write that was torn
 * by a power cut is found by the core's own checks when the ring is restored.
 */
export class RingFile {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #isSynced: boolean;

  /**
   * @param path  made when there is none
   * @param isSynced  force every change to the medium, which outlives a power cut of the computer and not only of the process
   * @throws {SessionError} `ring-file`
   */
  constructor(path: string, isSynced: boolean) {
    this.#path = path;
    this.#isSynced = isSynced;
    this.#descriptor = this.#attempt(() => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    if (isSynced) syncName(path);
  }

  /** What the file holds, cut or filled with zeros to `ringBytes`. */
  read(ringBytes: number): Uint8Array {
    const ring = new Uint8Array(ringBytes);
    this.#attempt(() => {
      for (let at = 0; at < ringBytes; ) {
        const count = readSync(this.#descriptor, ring, at, ringBytes - at, at);
        if (count === 0) return;
        at += count;
      }
    });
    return ring;
  }

  /** Write changes in order; a later one is only on the medium when the earlier ones are. */
  write(changes: readonly RingChange[]): void {
    this.#attempt(() => {
      for (const { offset, bytes } of changes) {
        for (let at = 0; at < bytes.length; ) {
          at += writeSync(this.#descriptor, bytes, at, bytes.length - at, offset + at);
        }
        if (this.#isSynced) fdatasyncSync(this.#descriptor);
      }
    });
  }

  close(): void {
    this.#attempt(() => closeSync(this.#descriptor));
  }

  #attempt<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : String(cause);
      throw new SessionError("ring-file", { file: this.#path, problem }, { cause });
    }
  }
}

/** A file's name is as durable as what is in it; not every system lets a folder be opened for that. */
function syncName(path: string): void {
  let folder: number;
  try {
    folder = openSync(dirname(path), constants.O_RDONLY);
  } catch {
    return;
  }
  try {
    fsyncSync(folder);
  } catch {
    // Windows has no such thing, and keeps names by itself.
  } finally {
    closeSync(folder);
  }
}
