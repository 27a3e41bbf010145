import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Logger, SILENT_LOGGER } from "../logger.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { TokenBook } from "./token-book.ts";
import { TokenWatch } from "./token-watch.ts";

let folder = "";
let book: TokenBook;
let clock: ManualClock;
let watch: TokenWatch | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-tokens-"));
  book = new TokenBook(join(folder, "node.db"));
  clock = new ManualClock();
});
afterEach(async () => {
  await watch?.close();
  rmSync(folder, { recursive: true });
});

const open = async (logger: Logger = SILENT_LOGGER): Promise<TokenWatch> => {
  watch = await TokenWatch.open({ book, clock, logger });
  return watch;
};
const nowMs = (): number => clock.unixUs() / 1000;

/** Let it look at the file once more. */
async function look(tokens: TokenWatch): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = tokens.onChange(() => {
      end();
      resolve();
    });
    clock.advance(500);
  });
}

test("everybody may ask until the first token is made; then who has one, at once; then nobody without", async () => {
  const tokens = await open();
  expect(tokens.isOpen).toBe(true);
  const { secret, record } = await book.add({ name: "ops", roles: ["read"] }, nowMs());
  await look(tokens);
  expect(tokens.isOpen).toBe(false);
  expect(tokens.find(secret)).toMatchObject({ record, isGood: true });
  expect(tokens.find(`${secret.slice(0, -1)}${secret.endsWith("A") ? "B" : "A"}`)).toBeUndefined();
  expect(tokens.good(record.hash)).toMatchObject({ name: "ops" });
  await book.revoke("ops", nowMs());
  await look(tokens);
  expect(tokens.isOpen).toBe(false);
  expect(tokens.find(secret)).toMatchObject({ isGood: false });
  expect(tokens.good(record.hash)).toBeUndefined();
});

test("a token made or revoked since the last look is known once the book is refreshed", async () => {
  await book.add({ name: "ops", roles: ["read"] }, nowMs());
  const tokens = await open();
  const { secret } = await book.add({ name: "other", roles: ["read"] }, nowMs());
  expect(tokens.find(secret)).toBeUndefined();
  await Promise.all([tokens.refresh(), tokens.refresh()]);
  expect(tokens.find(secret)).toMatchObject({ isGood: true });
  await book.revoke("other", nowMs());
  await tokens.refresh();
  expect(tokens.find(secret)).toMatchObject({ isGood: false });
});

test("a token ends at its time, although nobody writes the book", async () => {
  const { secret, record } = await book.add({ name: "guest", roles: ["read"], days: 1 / 86_400 }, nowMs());
  const tokens = await open();
  expect(tokens.good(record.hash)).toBeDefined();
  clock.advance(999);
  expect(tokens.good(record.hash)).toBeDefined();
  clock.advance(2);
  expect(tokens.good(record.hash)).toBeUndefined();
  expect(tokens.find(secret)?.isGood).toBe(false);
});

test("a book that is gone or damaged while the node runs lets nobody in, and says so once; mended, it counts again", async () => {
  const { secret } = await book.add({ name: "ops", roles: ["read"] }, nowMs());
  const text = JSON.stringify({ version: 1, tokens: await book.read() });
  const said: string[] = [];
  const tell = (_: object, message: string) => void said.push(message);
  const tokens = await open({ debug: tell, info: tell, warn: tell, error: tell });
  writeFileSync(book.file, "{");
  await look(tokens);
  await look(tokens);
  expect([tokens.isOpen, tokens.find(secret)]).toEqual([false, undefined]);
  expect(said).toEqual([expect.stringContaining("damaged")]);
  writeFileSync(book.file, text);
  await look(tokens);
  expect(tokens.find(secret)?.isGood).toBe(true);
  rmSync(book.file);
  await look(tokens);
  await look(tokens);
  expect([tokens.isOpen, tokens.find(secret)]).toEqual([false, undefined]);
  expect(said.slice(2)).toEqual([expect.stringContaining("gone")]);
});
