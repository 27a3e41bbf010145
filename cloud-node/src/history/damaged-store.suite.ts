import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach } from "vitest";
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

/** A page of one table or index, as bytes of the file. */
export interface StoredPage {
  readonly name: string;
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

/** A store of one device whose pages tests overwrite, and what it holds. */
export interface DamagedStore {
  readonly file: string;
  readonly kept: KeptStore;
  readonly device: ScriptedDevice;
}

/** Make one before each test, of so many frames: many small packs, and then large ones. */
export function damagedStoreBeforeEach(frames: number): () => DamagedStore {
  let folder = "";
  let made: DamagedStore | undefined;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-damaged-"));
    const file = join(folder, "store.db");
    const kept = new KeptStore(file);
    const device = new ScriptedDevice({ seed: 9 });
    kept.birth(device);
    for (let i = 0; i < frames; i++) {
      kept.receive(device, i < 300 && i % 30 === 0 ? device.keyframe() : device.residual());
      if (i % 100 === 99) await kept.commit();
    }
    await kept.commit();
    await kept.close();
    made = { file, kept, device };
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  return () => {
    if (made === undefined) throw new RangeError("outside a test");
    return made;
  };
}

/** All pages of a store, in the order of their numbers. */
export function pagesOf(file: string): StoredPage[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare("SELECT name, pagetype, pageno, pgsize FROM dbstat ORDER BY pageno").all();
  database.close();
  return rows.map(({ name, pagetype, pageno, pgsize }) => {
    const [page, size] = [Number(pageno), Number(pgsize)];
    return { name: String(name), kind: String(pagetype), from: (page - 1) * size, to: page * size };
  });
}
