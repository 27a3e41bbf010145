import { createHash, randomUUID } from "node:crypto";
import { type KV, Kvm } from "@nats-io/kv";
import { type ObjectStore, Objm } from "@nats-io/obj";
import type { Clock } from "../clock.ts";
import type { BlobFacts, BlobRef, BlobStore, GetOptions, PutOptions } from "./blob-store.ts";
import { readPiece } from "./jetstream-piece.ts";
import { JobError } from "./job-error.ts";
import { checkRef, isSha256 } from "./job-id.ts";
import { forgetRevision, isOvertaken, type NatsLink, onNats } from "./nats-link.ts";
import { pieces } from "./pieces.ts";
import { checkSignal, tampered, verified } from "./verified-bytes.ts";

export interface JetStreamBlobsOptions {
  readonly clock: Clock;
  /** Bytes of an object of the store; a broken upload loses less than one. */
  readonly pieceBytes?: number | undefined;
}

/** An object is hashed and sent without a pause: no longer than a few milliseconds. */
const PIECE_BYTES = 1 << 20;
/** Others may change a manifest between its reading and its writing, but nobody does so for ever. */
const MOST_TRIES = 50;

/** What a blob, or an upload of one, is made of. */
interface Manifest {
  readonly bytes: number;
  readonly putMs: number;
  /** Objects of the store, in order: of each upload, how many. */
  readonly pieces: readonly (readonly [upload: string, count: number])[];
}

interface Upload {
  /** Its manifest's key, while it is under way. */
  readonly key: string;
  readonly name: string;
  readonly begun: KeptManifest | undefined;
}

interface KeptManifest {
  readonly key: string;
  readonly manifest: Manifest;
  /** Number of its last change: whoever changes or forgets it says which one he saw. */
  readonly revision: number;
}

/**
 * Blobs in JetStream: bytes in pieces in an object store, and what is made of which pieces in a key-value bucket:
 *
 *     SHA256          a blob, whole
 *     SHA256.UPLOAD   an upload of it, under way or broken; two at once have one each
 *     new.UPLOAD      an upload of what only its last byte names
 */
export class JetStreamBlobs implements BlobStore {
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #pieceBytes: number;
  readonly #bucket: string;
  readonly #kv: KV;
  readonly #store: ObjectStore;

  private constructor(link: NatsLink, bucket: string, kv: KV, store: ObjectStore, options: JetStreamBlobsOptions) {
    this.#link = link;
    this.#bucket = bucket;
    this.#kv = kv;
    this.#store = store;
    this.#clock = options.clock;
    this.#pieceBytes = options.pieceBytes ?? PIECE_BYTES;
  }

  /** @param link  stays open when the store is closed @throws {JobError} `queue-away`, `disk-full` */
  static open(link: NatsLink, options: JetStreamBlobsOptions): Promise<JetStreamBlobs> {
    return onNats(link.connection.getServer(), async () => {
      const bucket = `${link.prefix}_blobs`;
      const { js, replicas } = link;
      const kv = await new Kvm(js).create(bucket, { history: 1, replicas, allow_direct: false });
      const store = await new Objm(js).create(bucket, { replicas });
      return new JetStreamBlobs(link, bucket, kv, store, options);
    });
  }

  async put(source: (fromByte: number) => AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<BlobRef> {
    const { expect } = options;
    if (expect !== undefined) {
      checkRef(expect, "a blob");
      if (await this.renew(expect)) return { sha256: expect.sha256, bytes: expect.bytes };
    }
    const name = randomUUID();
    const begun = expect === undefined ? undefined : await this.#takeUp(expect);
    const upload: Upload = { key: `${expect?.sha256 ?? "new"}.${name}`, name, begun };
    try {
      const ref = await this.#fill(upload, source, options);
      // The blob has the pieces now.
      await this.#forgetKey(upload.key, false);
      if (begun !== undefined) await this.#forgetKey(begun.key, false);
      return ref;
    } catch (error) {
      const code = error instanceof JobError ? error.code : undefined;
      // Nobody can go on with wrong bytes, or with those that have no name.
      if (code === "tampered-blob" || expect === undefined) await this.#forgetKey(upload.key, true).catch(() => {});
      if (code === "tampered-blob" && begun !== undefined) await this.#forgetKey(begun.key, true).catch(() => {});
      throw error;
    }
  }

  async *get(ref: BlobRef, options: GetOptions = {}): AsyncGenerator<Uint8Array> {
    checkRef(ref, "a blob");
    const kept = await this.#kept(ref.sha256);
    if (kept === undefined) throw missing(ref);
    try {
      yield* verified(this.#chunks(kept.manifest, ref), ref, options);
    } catch (error) {
      const isTampered = error instanceof JobError && error.code === "tampered-blob";
      if (!isTampered || ref.bytes !== kept.manifest.bytes) throw error;
      // What is no longer what its name says is in the way of whoever puts it there again. But one whose manifest is
      // another by now was forgotten, or put anew, while it was read: then its pieces may be gone, and nothing is wrong.
      if (await this.#forget(kept)) throw error;
      throw missing(ref);
    }
  }

  async renew({ sha256, bytes }: BlobRef): Promise<boolean> {
    checkRef({ sha256, bytes }, "a blob");
    for (let i = 0; i < MOST_TRIES; i++) {
      const kept = await this.#kept(sha256);
      if (kept?.manifest.bytes !== bytes) return false;
      if (await this.#renewed(kept)) return true;
    }
    throw busy(sha256);
  }

  async stat(sha256: string): Promise<BlobFacts | undefined> {
    const kept = isSha256(sha256) ? await this.#kept(sha256) : undefined;
    return kept && { sha256, bytes: kept.manifest.bytes, putMs: kept.manifest.putMs };
  }

  async begun(sha256: string): Promise<number> {
    if (!isSha256(sha256) || (await this.#kept(sha256)) !== undefined) return 0;
    const longest = await this.#longestBegun({ sha256, bytes: Number.MAX_SAFE_INTEGER });
    return longest?.manifest.bytes ?? 0;
  }

  async *list(): AsyncGenerator<BlobFacts> {
    for (const { key, manifest } of await this.#manifests(">")) {
      if (isSha256(key)) yield { sha256: key, bytes: manifest.bytes, putMs: manifest.putMs };
    }
  }

  async remove(sha256: string, putBeforeMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const kept = isSha256(sha256) ? await this.#kept(sha256) : undefined;
    return kept !== undefined && kept.manifest.putMs < putBeforeMs && (await this.#forget(kept));
  }

  async forgetBegun(beforeMs: number): Promise<void> {
    const known = new Set<string>();
    for (const kept of await this.#manifests(">")) {
      const isOld = !isSha256(kept.key) && kept.manifest.putMs < beforeMs;
      // One that was changed since is gone on with.
      if (isOld && (await this.#forget(kept))) continue;
      for (const name of namesOf(kept.manifest)) known.add(name);
    }
    // What no manifest has: of uploads that broke between the two, and of two at once.
    for (const { name, mtime } of await this.#ask(() => this.#store.list())) {
      if (!known.has(name) && Date.parse(mtime) < beforeMs) await this.#removePiece(name);
    }
  }

  async close(): Promise<void> {}

  async #fill(
    { key, name, begun }: Upload,
    source: (fromByte: number) => AsyncIterable<Uint8Array>,
    { expect, onProgress, signal }: PutOptions,
  ): Promise<BlobRef> {
    const hash = createHash("sha256");
    const before = begun?.manifest.pieces ?? [];
    let bytes = 0;
    let count = 0;
    const take = (chunk: Uint8Array) => {
      checkSignal(signal, expect?.sha256);
      bytes += chunk.length;
      if (expect !== undefined && bytes > expect.bytes) throw tampered(expect, `more than ${expect.bytes} bytes`);
      hash.update(chunk);
    };
    if (begun !== undefined) {
      for await (const chunk of this.#chunks(begun.manifest, expect)) {
        take(chunk);
        onProgress?.(bytes);
      }
    }
    for await (const piece of pieces(source(bytes), this.#pieceBytes)) {
      take(piece);
      await this.#ask(() => this.#store.putBlob({ name: `${name}.${count}` }, piece));
      count += 1;
      await this.#keep(key, { bytes, putMs: this.#nowMs(), pieces: [...before, [name, count]] });
      onProgress?.(bytes);
    }
    const ref = { sha256: hash.digest("hex"), bytes };
    if (expect !== undefined && bytes < expect.bytes) throw tampered(expect, `${bytes} of ${expect.bytes} bytes`);
    if (expect !== undefined && ref.sha256 !== expect.sha256) throw tampered(expect, "other bytes");
    await this.#keep(ref.sha256, { bytes, putMs: this.#nowMs(), pieces: [...before, [name, count]] });
    return ref;
  }

  /** @param ref  named where a piece is missing */
  async *#chunks(manifest: Manifest, ref: BlobRef | undefined): AsyncGenerator<Uint8Array> {
    for (const name of namesOf(manifest)) {
      const piece = await this.#ask(() => readPiece(this.#link, this.#bucket, this.#store, name));
      if (piece === null) throw tampered(ref ?? { sha256: name, bytes: 0 }, "a piece missing");
      yield piece;
    }
  }

  /** What most is left of, for oneself: renewed, so that nobody forgets it while it is gone on with. */
  async #takeUp(ref: BlobRef): Promise<KeptManifest | undefined> {
    for (let i = 0; i < MOST_TRIES; i++) {
      const begun = await this.#longestBegun(ref);
      if (begun === undefined || (await this.#renewed(begun))) return begun;
    }
    throw busy(ref.sha256);
  }

  /** What most is left of. */
  async #longestBegun({ sha256, bytes }: BlobRef): Promise<KeptManifest | undefined> {
    const begun = (await this.#manifests(`${sha256}.*`)).filter(({ manifest }) => manifest.bytes <= bytes);
    return begun.sort((a, b) => b.manifest.bytes - a.manifest.bytes)[0];
  }

  /** Let a manifest be as new as if it were kept now. @returns false: it was changed, renewed perhaps, or forgotten since */
  async #renewed({ key, manifest, revision }: KeptManifest): Promise<boolean> {
    const text = JSON.stringify({ ...manifest, putMs: this.#nowMs() } satisfies Manifest);
    return this.#ask(() =>
      this.#kv.update(key, text, revision).then(
        () => true,
        (error) => {
          if (isOvertaken(error)) return false;
          throw error;
        },
      ),
    );
  }

  async #kept(key: string): Promise<KeptManifest | undefined> {
    const entry = await this.#ask(() => this.#kv.get(key));
    return entry === null ? undefined : { key, manifest: entry.json<Manifest>(), revision: entry.revision };
  }

  async #manifests(keys: string): Promise<KeptManifest[]> {
    return this.#ask(async () => {
      const found: KeptManifest[] = [];
      for await (const entry of await this.#kv.history({ key: keys })) {
        found.push({ key: entry.key, manifest: entry.json<Manifest>(), revision: entry.revision });
      }
      return found;
    });
  }

  async #keep(key: string, manifest: Manifest): Promise<void> {
    await this.#ask(() => this.#kv.put(key, JSON.stringify(manifest)));
  }

  /** Forget a manifest, whoever changed it. @param withPieces  also those of its pieces that no other one has */
  async #forgetKey(key: string, withPieces: boolean): Promise<void> {
    const kept = await this.#kept(key);
    if (kept !== undefined) await (withPieces ? this.#forget(kept) : this.#forgetManifest(kept));
  }

  /** Forget a manifest, and the pieces that no other one has. @returns false: it was changed since, or is gone already */
  async #forget(kept: KeptManifest): Promise<boolean> {
    const { key, manifest } = kept;
    if (!(await this.#forgetManifest(kept))) return false;
    // Uploads of one blob go on with each other's pieces; those of others have none of them.
    const [sha256 = ""] = key.split(".");
    const whole = isSha256(sha256) ? await this.#kept(sha256) : undefined;
    const others = isSha256(sha256) ? await this.#manifests(`${sha256}.*`) : [];
    const used = new Set(
      others.flatMap((other) => namesOf(other.manifest)).concat(whole ? namesOf(whole.manifest) : []),
    );
    for (const name of namesOf(manifest)) if (!used.has(name)) await this.#removePiece(name);
    return true;
  }

  /** @returns false: it was changed since, or is gone already */
  async #forgetManifest({ revision }: KeptManifest): Promise<boolean> {
    return this.#ask(() => forgetRevision(this.#link, `KV_${this.#bucket}`, revision));
  }

  async #removePiece(name: string): Promise<void> {
    await this.#ask(async () => {
      await this.#store.delete(name);
      // And the mark that it was there.
      const token = Buffer.from(name).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
      await this.#link.jsm.streams.purge(`OBJ_${this.#bucket}`, { filter: `$O.${this.#bucket}.M.${token}` });
    });
  }

  #ask<Result>(act: () => Promise<Result>): Promise<Result> {
    return onNats(this.#link.connection.getServer(), act);
  }

  #nowMs(): number {
    return Math.floor(this.#clock.unixUs() / 1_000);
  }
}

function missing({ sha256 }: BlobRef): JobError {
  return new JobError("missing-blob", `blob ${sha256}`, "put it there again");
}

function busy(sha256: string): JobError {
  return new JobError("queue-away", `blob ${sha256} is changed by others all the time`, "try again");
}

function namesOf({ pieces }: Manifest): string[] {
  return pieces.flatMap(([upload, count]) => Array.from({ length: count }, (_, i) => `${upload}.${i}`));
}
