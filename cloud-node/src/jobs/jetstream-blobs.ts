import { createHash, randomUUID } from "node:crypto";
import { type KV, Kvm } from "@nats-io/kv";
import { type ObjectStore, Objm } from "@nats-io/obj";
import type { Clock } from "../clock.ts";
import type { BlobFacts, BlobRef, BlobStore, GetOptions, PutOptions } from "./blob-store.ts";
import { JobError } from "./job-error.ts";
import { checkRef, isSha256 } from "./job-id.ts";
import { isOvertaken, type NatsLink, onNats } from "./nats-link.ts";
import { pieces } from "./pieces.ts";
import { checkSignal, tampered, verified } from "./verified-bytes.ts";

export interface JetStreamBlobsOptions {
  readonly clock: Clock;
  /** Bytes of an object of the store; a broken upload loses less than one. */
  readonly pieceBytes?: number | undefined;
}

/** An object is hashed and sent without a pause: no longer than a few milliseconds. */
const PIECE_BYTES = 1 << 20;

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
  readonly begun: Begun | undefined;
}

interface Begun {
  readonly key: string;
  readonly manifest: Manifest;
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
      if (await this.#renew(expect)) return { sha256: expect.sha256, bytes: expect.bytes };
    }
    const name = randomUUID();
    const begun = expect === undefined ? undefined : await this.#longestBegun(expect);
    const upload: Upload = { key: `${expect?.sha256 ?? "new"}.${name}`, name, begun };
    try {
      const ref = await this.#fill(upload, source, options);
      // The blob has the pieces now.
      await this.#forgetManifest(upload.key);
      if (begun !== undefined) await this.#forgetManifest(begun.key);
      return ref;
    } catch (error) {
      const code = error instanceof JobError ? error.code : undefined;
      // Nobody can go on with wrong bytes, or with those that have no name.
      if (code === "tampered-blob" || expect === undefined) await this.#forget(upload.key).catch(() => {});
      if (code === "tampered-blob" && begun !== undefined) await this.#forget(begun.key).catch(() => {});
      throw error;
    }
  }

  async *get(ref: BlobRef, options: GetOptions = {}): AsyncGenerator<Uint8Array> {
    checkRef(ref, "a blob");
    const manifest = await this.#manifest(ref.sha256);
    if (manifest === undefined) throw new JobError("missing-blob", `blob ${ref.sha256}`, "put it there again");
    try {
      yield* verified(this.#chunks(manifest, ref), ref, options);
    } catch (error) {
      const isDamaged = error instanceof JobError && error.code === "tampered-blob" && ref.bytes === manifest.bytes;
      // What is no longer what its name says is in the way of whoever puts it there again.
      if (isDamaged) await this.remove(ref.sha256);
      throw error;
    }
  }

  async stat(sha256: string): Promise<BlobFacts | undefined> {
    const manifest = isSha256(sha256) ? await this.#manifest(sha256) : undefined;
    return manifest && { sha256, bytes: manifest.bytes, putMs: manifest.putMs };
  }

  async begun(sha256: string): Promise<number> {
    if (!isSha256(sha256) || (await this.#manifest(sha256)) !== undefined) return 0;
    const longest = await this.#longestBegun({ sha256, bytes: Number.MAX_SAFE_INTEGER });
    return longest?.manifest.bytes ?? 0;
  }

  async *list(): AsyncGenerator<BlobFacts> {
    for (const { key, manifest } of await this.#manifests(">")) {
      if (isSha256(key)) yield { sha256: key, bytes: manifest.bytes, putMs: manifest.putMs };
    }
  }

  async remove(sha256: string): Promise<boolean> {
    return isSha256(sha256) && (await this.#forget(sha256));
  }

  async forgetBegun(beforeMs: number): Promise<void> {
    for (const { key, manifest } of await this.#manifests(">")) {
      if (!isSha256(key) && manifest.putMs < beforeMs) await this.#forget(key);
    }
    // What no manifest has: of uploads that broke between the two, and of two at once.
    const known = new Set((await this.#manifests(">")).flatMap(({ manifest }) => namesOf(manifest)));
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

  /** @param ref  named where a piece is missing or is not what was put there */
  async *#chunks(manifest: Manifest, ref: BlobRef | undefined): AsyncGenerator<Uint8Array> {
    for (const name of namesOf(manifest)) {
      const piece = await this.#ask(() =>
        this.#store.getBlob(name).catch((cause: Error) => {
          // The store has a hash of its own of every object.
          if (/digest|checksum|sha/i.test(cause.message)) return null;
          throw cause;
        }),
      );
      if (piece === null) throw tampered(ref ?? { sha256: name, bytes: 0 }, "a piece missing or changed");
      yield piece;
    }
  }

  /** What most is left of. */
  async #longestBegun({ sha256, bytes }: BlobRef): Promise<Begun | undefined> {
    const begun = (await this.#manifests(`${sha256}.*`)).filter(({ manifest }) => manifest.bytes <= bytes);
    return begun.sort((a, b) => b.manifest.bytes - a.manifest.bytes)[0];
  }

  /** Whether it is there already; then as new as if it had been put now. */
  async #renew({ sha256, bytes }: BlobRef): Promise<boolean> {
    return this.#ask(async () => {
      const entry = await this.#kv.get(sha256);
      const manifest = entry?.json<Manifest>();
      if (entry === null || manifest?.bytes !== bytes) return false;
      const renewed = JSON.stringify({ ...manifest, putMs: this.#nowMs() } satisfies Manifest);
      return this.#kv.update(sha256, renewed, entry.revision).then(
        () => true,
        (error) => {
          // Put by somebody else at the same time, or just forgotten.
          if (isOvertaken(error)) return false;
          throw error;
        },
      );
    });
  }

  async #manifest(key: string): Promise<Manifest | undefined> {
    const entry = await this.#ask(() => this.#kv.get(key));
    return entry?.json<Manifest>();
  }

  async #manifests(keys: string): Promise<Begun[]> {
    return this.#ask(async () => {
      const found: Begun[] = [];
      for await (const entry of await this.#kv.history({ key: keys })) {
        found.push({ key: entry.key, manifest: entry.json<Manifest>() });
      }
      return found;
    });
  }

  async #keep(key: string, manifest: Manifest): Promise<void> {
    await this.#ask(() => this.#kv.put(key, JSON.stringify(manifest)));
  }

  /** Forget a manifest, and the pieces that no other one has. @returns whether it was there */
  async #forget(key: string): Promise<boolean> {
    const manifest = await this.#forgetManifest(key);
    if (manifest === undefined) return false;
    // Uploads of one blob go on with each other's pieces; those of others have none of them.
    const [sha256 = ""] = key.split(".");
    const whole = isSha256(sha256) ? await this.#manifest(sha256) : undefined;
    const others = isSha256(sha256) ? await this.#manifests(`${sha256}.*`) : [];
    const used = new Set(others.flatMap((other) => namesOf(other.manifest)).concat(whole ? namesOf(whole) : []));
    for (const name of namesOf(manifest)) if (!used.has(name)) await this.#removePiece(name);
    return true;
  }

  /** @returns it as it was; undefined: it was not there, or somebody changed it meanwhile */
  async #forgetManifest(key: string): Promise<Manifest | undefined> {
    return this.#ask(async () => {
      const entry = await this.#kv.get(key);
      if (entry === null) return undefined;
      const filter = `$KV.${this.#bucket}.${key}`;
      const { purged } = await this.#link.jsm.streams.purge(`KV_${this.#bucket}`, { filter, seq: entry.revision + 1 });
      return purged === 0 ? undefined : entry.json<Manifest>();
    });
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

function namesOf({ pieces }: Manifest): string[] {
  return pieces.flatMap(([upload, count]) => Array.from({ length: count }, (_, i) => `${upload}.${i}`));
}
