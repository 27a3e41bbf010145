import { Worker } from "node:worker_threads";
import { threadFile } from "../thread-file.ts";
import type { CommitAnswer, CommitOrder, CommitWorkerData } from "./commit-messages.ts";
import type { RetentionReport, RetentionRules } from "./retention.ts";
import { prepareStore } from "./sqlite-open.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import { type CommitReply, FRAME_VERDICTS, type Store, type StoreBatch, type StoreReader } from "./store.ts";
import { StoreError, storeErrorOf } from "./store-error.ts";
import type { StoreLock } from "./store-lock.ts";

interface Waiting {
  resolve(reply: CommitReply): void;
  reject(error: StoreError): void;
}

interface Retaining {
  resolve(report: RetentionReport): void;
  reject(error: StoreError): void;
}

/** For what dies young: batches come and go, and more room for them is memory that nothing needs. */
const YOUNG_MB = 8;
const WORKER_URL = threadFile(import.meta.url, "commit-worker");

/** A store in one SQLite file: WAL, `synchronous=FULL`, written by a thread of its own. */
export class SqliteStore implements Store {
  readonly reader: StoreReader;
  readonly #file: string;
  readonly #lock: StoreLock;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #waiting: Waiting | undefined;
  #retaining: Retaining | undefined;
  #failure: StoreError | undefined;

  /**
   * Open or create a store.
   *
   * @param options.maxPages  refuse to grow past so many database pages; for tests of a full disk
   * @throws {StoreError} the file was left untouched
   */
  constructor(file: string, options: { maxPages?: number } = {}) {
    this.#lock = prepareStore(file);
    this.#file = file;
    try {
      this.reader = new SqliteReader(file);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    const workerData: CommitWorkerData = { file, maxPages: options.maxPages ?? 0 };
    this.#worker = new Worker(WORKER_URL, { workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    this.#worker.on("message", (answer: CommitAnswer) => this.#settle(answer));
    this.#worker.on("error", (cause) => this.#fail(storeErrorOf(cause, file)));
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        this.#fail(new StoreError("closed", { file }));
        resolve();
      });
    });
  }

  commit(batch: StoreBatch): Promise<CommitReply> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      if (this.#waiting !== undefined) {
        return reject(new StoreError("failed", { file: this.#file, detail: "a commit is already under way" }));
      }
      this.#waiting = { resolve, reject };
      const order: CommitOrder = { kind: "commit", batch };
      this.#worker.postMessage(order);
    });
  }

  retain(rules: RetentionRules): Promise<RetentionReport> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      if (this.#retaining !== undefined) {
        return reject(new StoreError("failed", { file: this.#file, detail: "retention is already under way" }));
      }
      this.#retaining = { resolve, reject };
      const order: CommitOrder = { kind: "retain", rules };
      this.#worker.postMessage(order);
    });
  }

  async close(): Promise<void> {
    // The writer goes last: only a connection that may write moves the log into the file and removes it.
    this.reader.close();
    const order: CommitOrder = { kind: "close" };
    this.#worker.postMessage(order);
    await this.#exited;
    this.#lock.release();
  }

  #settle(answer: CommitAnswer): void {
    if (answer.kind === "retained" || answer.kind === "retain-failed") {
      const retaining = this.#retaining;
      this.#retaining = undefined;
      if (answer.kind === "retained") retaining?.resolve(answer.report);
      else retaining?.reject(new StoreError(answer.code, answer.facts));
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (answer.kind === "failed") {
      waiting?.reject(new StoreError(answer.code, answer.facts));
      return;
    }
    const exceptions: { row: number; verdict: (typeof FRAME_VERDICTS)[number] }[] = [];
    for (let i = 0; i < answer.exceptions.length; i += 2) {
      const verdict = FRAME_VERDICTS[answer.exceptions[i + 1] ?? 0];
      if (verdict !== undefined) exceptions.push({ row: answer.exceptions[i] ?? 0, verdict });
    }
    waiting?.resolve({ exceptions });
  }

  #fail(error: StoreError): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
    this.#retaining?.reject(this.#failure);
    this.#retaining = undefined;
  }
}
