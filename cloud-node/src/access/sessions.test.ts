import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SILENT_LOGGER } from "../logger.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { Sessions } from "./sessions.ts";
import { TokenBook } from "./token-book.ts";
import type { TokenRecord } from "./token-record.ts";
import { TokenWatch } from "./token-watch.ts";

const HOUR_MS = 3_600_000;
let folder = "";
let clock: ManualClock;
let bookClock: ManualClock;
let watch: TokenWatch;
let sessions: Sessions;
let record: TokenRecord;
let guest: TokenRecord;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-sessions-"));
  clock = new ManualClock();
  // The book is looked at twice a second of its own clock: that one goes on only where a token is to expire.
  bookClock = new ManualClock();
  const book = new TokenBook(join(folder, "node.db"));
  record = (await book.add({ name: "ops", roles: ["read"], days: 30 }, clock.unixUs() / 1000)).record;
  guest = (await book.add({ name: "guest", roles: ["read"], days: 1 / 4 }, clock.unixUs() / 1000)).record;
  watch = await TokenWatch.open({ book, clock: bookClock, logger: SILENT_LOGGER });
  sessions = new Sessions(watch, clock);
});
afterEach(async () => {
  await watch.close();
  rmSync(folder, { recursive: true });
});

test("each log-in is a session of its own, which only what its cookie says opens", () => {
  const [one, two] = [sessions.begin(record), sessions.begin(record)];
  expect(one).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(one).not.toBe(two);
  expect(sessions.find(one)?.record.name).toBe("ops");
  expect(sessions.find(sessions.find(one)?.session.key ?? "")).toBeUndefined();
  sessions.end(sessions.find(one)?.session.key ?? "");
  expect([sessions.find(one), sessions.find(two)?.record.name]).toEqual([undefined, "ops"]);
});

test("a session ends after 12 h in which nothing was asked or followed, and after 7 days whatever happens", () => {
  const idle = sessions.begin(record);
  const busy = sessions.begin(record);
  const followed = sessions.begin(record);
  const key = sessions.find(followed)?.session.key ?? "";
  for (let hours = 0; hours < 7 * 24 - 1; hours++) {
    clock.advance(HOUR_MS);
    expect(sessions.find(busy), `after ${hours + 1} h`).toBeDefined();
    sessions.touch(key);
    if (hours === 10) expect(sessions.count).toBe(3);
    if (hours === 11) expect(sessions.find(idle)).toBeUndefined();
  }
  expect(sessions.record(key)).toBeDefined();
  clock.advance(HOUR_MS);
  expect([sessions.find(busy), sessions.record(key)]).toEqual([undefined, undefined]);
  expect(sessions.count).toBe(0);
});

test("a session ends with its token, and those that are over are forgotten", () => {
  const [id] = [sessions.begin(guest), sessions.begin(record)];
  bookClock.advance(6 * HOUR_MS - 1);
  sessions.sweep();
  expect([sessions.find(id)?.record.name, sessions.count]).toEqual(["guest", 2]);
  bookClock.advance(1);
  sessions.sweep();
  expect([sessions.find(id), sessions.count]).toEqual([undefined, 1]);
});

test("a token has 32 sessions at most: the oldest one makes room", () => {
  const ids = Array.from({ length: 40 }, () => sessions.begin(record));
  expect(sessions.count).toBe(32);
  expect(ids.map((id) => sessions.find(id) !== undefined)).toEqual(ids.map((_, n) => n >= 8));
});

test("while the book cannot be read nobody is in, and who was is in again once it can", async () => {
  const id = sessions.begin(record);
  const file = join(folder, "node.db.tokens");
  const text = readFileSync(file);
  const look = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      const end = watch.onChange(() => {
        sessions.sweep();
        end();
        resolve();
      });
      bookClock.advance(500);
    });
  };
  writeFileSync(file, "{");
  await look();
  expect(sessions.find(id)).toBeUndefined();
  writeFileSync(file, text);
  await look();
  expect(sessions.find(id)?.record.name).toBe("ops");
});
