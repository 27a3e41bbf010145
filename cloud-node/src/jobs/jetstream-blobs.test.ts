import { type KvEntry, Kvm } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { allOf, bytesOf, refOf, sourceOf } from "./blob-bytes.suite.ts";
import { type BlobRig, blobStoreSuite } from "./blob-store.suite.ts";
import { JetStreamBlobs } from "./jetstream-blobs.ts";
import { JobError } from "./job-error.ts";
import { type NatsLink, openNatsLink } from "./nats-link.ts";
import { describeWithNats, NatsServers } from "./nats-servers.suite.ts";
import { codeOf } from "./queue-rig.suite.ts";

const BUCKET = "lockstep_blobs";
/** So that a blob of the suite has several. */
const PIECE_BYTES = 100_000;

interface NatsRig extends BlobRig {
  readonly servers: NatsServers;
  link(): Promise<NatsLink>;
  /** Objects of the store. */
  objects(): Promise<string[]>;
}

async function natsRig(): Promise<NatsRig> {
  const servers = await NatsServers.start();
  const links: NatsLink[] = [];
  const link = async () => {
    const opened = await openNatsLink(servers.url);
    links.push(opened);
    return opened;
  };
  const raw = await link();
  return {
    servers,
    link,
    open: async () => JetStreamBlobs.open(await link(), { clock: systemClock(), pieceBytes: PIECE_BYTES }),
    damage: async (sha256, how) => {
      const entry = await (await new Kvm(raw.js).open(BUCKET)).get(sha256);
      const store = await new Objm(raw.js).open(BUCKET);
      const name = `${entry?.json<{ pieces: [string, number][] }>().pieces[0]?.[0]}.1`;
      const piece = (await store.getBlob(name)) ?? expect.fail("no such piece");
      piece[5] = (piece[5] ?? 0) ^ 1;
      if (how === "change") await store.putBlob({ name }, piece);
      else await store.delete(name);
    },
    objects: async () => {
      const store = await new Objm(raw.js).open(BUCKET);
      return (await store.list()).map(({ name }) => name);
    },
    close: async () => {
      for (const { connection } of links) await connection.close();
      await servers.stop();
    },
  };
}

/** What servers that are away answer once they are back. */
async function answered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof JobError) || error.code !== "queue-away") throw error;
    }
  }
}

async function* named(entries: AsyncIterable<KvEntry>) {
  for await (const entry of entries) yield { key: entry.key, json: entry.json<object>() };
}

describeWithNats("blobs in NATS", () => {
  blobStoreSuite("blobs in JetStream", natsRig);

  describe("in JetStream", () => {
    let rig: NatsRig;
    let blobs: JetStreamBlobs;
    beforeAll(async () => {
      rig = await natsRig();
      blobs = (await rig.open()) as JetStreamBlobs;
    });
    afterAll(() => rig.close());

    test("a blob that is forgotten leaves no piece behind, and one that others went on with keeps theirs", async () => {
      const bytes = bytesOf(1);
      const ref = refOf(bytes);
      for (const breaksAt of [300_000, 600_000]) {
        await expect(blobs.put(sourceOf(bytes, breaksAt).source, { expect: ref })).rejects.toThrow();
      }
      await blobs.put(sourceOf(bytes).source, { expect: ref });
      await blobs.forgetBegun(Date.now() + 1_000);
      expect(await rig.objects()).toHaveLength(Math.ceil(bytes.length / PIECE_BYTES));
      expect((await allOf(blobs.get(ref))).equals(bytes)).toBe(true);
      expect(await blobs.remove(ref.sha256)).toBe(true);
      expect(await rig.objects()).toEqual([]);
    });

    test("who reads a blob that is forgotten, and put anew, meanwhile is told that it is not there, and the new one stays", async () => {
      const bytes = bytesOf(3);
      const ref = await blobs.put(sourceOf(bytes).source);
      const slow = blobs.get(ref)[Symbol.asyncIterator]();
      expect((await slow.next()).done).toBe(false);
      expect(await blobs.remove(ref.sha256)).toBe(true);
      await blobs.put(sourceOf(bytes).source, { expect: ref });
      expect(await codeOf(allOf({ [Symbol.asyncIterator]: () => slow }))).toBe("missing-blob");
      expect((await allOf(blobs.get(ref))).equals(bytes)).toBe(true);
      expect(await blobs.remove(ref.sha256)).toBe(true);
    });

    test("an upload that is gone on with is not forgotten, however old it is", async () => {
      const bytes = bytesOf(4);
      const ref = refOf(bytes);
      await expect(blobs.put(sourceOf(bytes, 600_000).source, { expect: ref })).rejects.toThrow();
      const kv = await new Kvm((await rig.link()).js).open(BUCKET);
      for await (const { key, json } of named(await kv.history({ key: `${ref.sha256}.*` }))) {
        await kv.put(key, JSON.stringify({ ...json, putMs: 1 }));
      }
      const source = async function* (from: number) {
        await blobs.forgetBegun(Date.now() - 60_000);
        yield bytes.subarray(from);
      };
      await blobs.put(source, { expect: ref });
      expect((await allOf(blobs.get(ref))).equals(bytes)).toBe(true);
      expect(await blobs.remove(ref.sha256)).toBe(true);
      expect(await rig.objects()).toEqual([]);
    });

    test("a piece whose bytes are gone is damage, and nobody waits for them for ever", async () => {
      const bytes = bytesOf(5);
      const ref = await blobs.put(sourceOf(bytes).source);
      const link = await rig.link();
      await link.jsm.streams.purge(`OBJ_${BUCKET}`, { filter: `$O.${BUCKET}.C.>` });
      expect(await codeOf(allOf(blobs.get(ref)))).toBe("tampered-blob");
      await blobs.put(sourceOf(bytes).source, { expect: ref });
      expect((await allOf(blobs.get(ref))).equals(bytes)).toBe(true);
    });

    test("blobs that were put at the same time, their pieces among each other's, are read as they were put", async () => {
      const all = Array.from({ length: 6 }, (_, i) => bytesOf(20 + i));
      const large = await JetStreamBlobs.open(await rig.link(), { clock: systemClock() });
      const refs = await Promise.all(all.map((bytes) => large.put(sourceOf(bytes).source)));
      for (const [i, ref] of refs.entries()) {
        expect((await allOf(large.get(ref))).equals(all[i] ?? Buffer.alloc(0))).toBe(true);
      }
    });

    test("servers that go away say so, and have every blob that was put when they are back", {
      timeout: 60_000,
    }, async () => {
      const bytes = bytesOf(2);
      const ref = await blobs.put(sourceOf(bytes).source);
      await rig.servers.kill();
      expect(await codeOf(blobs.stat(ref.sha256))).toBe("queue-away");
      await rig.servers.restart();
      await answered(() => blobs.stat(ref.sha256));
      expect((await allOf(blobs.get(ref))).equals(bytes)).toBe(true);
    });
  });

  test("a blob is read whenever it is asked for, also right after one of three servers was killed", {
    timeout: 120_000,
  }, async () => {
    const servers = await NatsServers.start(3);
    // Until they have elected who leads.
    const link = await answered(() => openNatsLink(servers.url));
    try {
      const blobs = await answered(() => JetStreamBlobs.open(link, { clock: systemClock(), pieceBytes: PIECE_BYTES }));
      const bytes = bytesOf(6);
      const ref = await blobs.put(sourceOf(bytes).source);
      const leads = async (name: string) => (await link.jsm.streams.info(name)).cluster?.leader;
      const leaders = [await leads(`KV_${BUCKET}`), await leads(`OBJ_${BUCKET}`), link.connection.info?.server_name];
      // Of those that have it one that nobody has to elect another one for, where there is one.
      await servers.kill(["s0", "s1", "s2"].find((name) => !leaders.includes(name)) ?? "s0");
      // Where there is none, until both streams have elected another one.
      await answered(() => allOf(blobs.get(ref)));
      for (let i = 0; i < 10; i++) expect((await allOf(blobs.get(ref))).equals(bytes)).toBe(true);
    } finally {
      await link.connection.close();
      await servers.stop();
    }
  });
});
