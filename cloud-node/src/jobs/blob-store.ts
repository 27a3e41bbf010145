/** Bytes by what they are: whoever has the reference can check that he was given them. */
export interface BlobRef {
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** 0 … 2^53 - 1. */
  readonly bytes: number;
}

/** What is told of bytes on their way. */
export type BlobProgress = (bytes: number) => void;

export interface PutOptions {
  /** What the bytes must be; others are refused, and bytes that are there already are not read. */
  readonly expect?: BlobRef | undefined;
  /** Told how many bytes are kept so far, those of an earlier, broken upload of the same `expect` among them. */
  readonly onProgress?: BlobProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions {
  /** First byte that is given; the check covers all of them even so. */
  readonly offset?: number | undefined;
  readonly onProgress?: BlobProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A blob as the store has it. */
export interface BlobFacts extends BlobRef {
  /** Unix time at which it was last put, ms. */
  readonly putMs: number;
}

/** Content-addressed bytes of any size: streamed, whole or not there, verified whenever they are read. */
export interface BlobStore {
  /** Where they are files of this machine: any thread may open them itself, as `FileBlobs` of this folder. */
  readonly folder?: string | undefined;
  /**
   * Keep bytes: durable once this resolves.
   *
   * @param source  called with the number of bytes that an earlier upload of `expect` left: gives the rest from there on
   * @throws {JobError} `tampered-blob` when they are not `expect`, `disk-full`, `queue-away`; what the source threw, and
   *   then what it gave before is kept for the next put of the same `expect`
   */
  put(source: (fromByte: number) => AsyncIterable<Uint8Array>, options?: PutOptions): Promise<BlobRef>;
  /**
   * The bytes of a blob, in memory that does not grow with its size. Each chunk is the reader's own.
   *
   * @throws {JobError} `missing-blob`; `tampered-blob`, after the last byte at the latest; `queue-away`
   */
  get(ref: BlobRef, options?: GetOptions): AsyncIterable<Uint8Array>;
  /**
   * Let a blob be as new as if it were put now: what is renewed is no garbage for a time.
   *
   * @returns false when it is not there, and then it has to be put
   * @throws {JobError} `bad-job`, `queue-away`
   */
  renew(ref: BlobRef): Promise<boolean>;
  /** Whether all its bytes are there; undefined: they are not. */
  stat(sha256: string): Promise<BlobFacts | undefined>;
  /** Bytes that broken uploads of it left, from which the next put goes on. */
  begun(sha256: string): Promise<number>;
  list(): AsyncIterable<BlobFacts>;
  /**
   * Forget a blob.
   *
   * @param putBeforeMs  Unix time: one that was put or renewed since then stays, also where that happens just now
   * @returns false when it was not there, or stays
   */
  remove(sha256: string, putBeforeMs?: number): Promise<boolean>;
  /** Forget what uploads left that broke before a time. @param beforeMs  Unix time */
  forgetBegun(beforeMs: number): Promise<void>;
  close(): Promise<void>;
}
