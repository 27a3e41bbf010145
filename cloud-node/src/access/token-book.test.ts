import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashOf, isSecret, withoutSecrets } from "./secret-token.ts";
import { TokenBook } from "./token-book.ts";
import { isGood } from "./token-record.ts";

const NOW = Date.parse("2026-05-01T12:00:00Z");
const DAY_MS = 86_400_000;
let folder = "";
let book: TokenBook;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-tokens-"));
  book = new TokenBook(join(folder, "node.db"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const names = async (): Promise<string[]> => ((await book.read()) ?? []).map(({ name }) => name);

test("a token is kept as its hash alone, in a file of its owner alone beside the store", async () => {
  expect(await book.read()).toBeUndefined();
  const { secret, record } = await book.add({ name: "ops", roles: ["read", "flash", "read"] }, NOW);
  expect(isSecret(secret)).toBe(true);
  expect(record).toEqual({
    ...{ name: "ops", roles: ["read", "flash"], hash: hashOf(secret).toString("hex") },
    ...{ added: "2026-05-01T12:00:00.000Z", expires: null, revoked: null },
  });
  expect(await book.read()).toEqual([record]);
  expect(readFileSync(book.file, "utf8")).not.toContain(secret.slice(4));
  expect(statSync(book.file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["node.db.tokens"]);
});

test("two tokens are never alike", async () => {
  const made = await Promise.all([1, 2, 3].map((n) => book.add({ name: `t${n}`, roles: ["read"] }, NOW)));
  expect(new Set(made.map(({ secret }) => secret)).size).toBe(3);
});

test("a token is good until it expires or is revoked, and then its name may be used again", async () => {
  const { record } = await book.add({ name: "guest", roles: ["read"], days: 2 }, NOW);
  expect([isGood(record, NOW), isGood(record, NOW + 2 * DAY_MS - 1), isGood(record, NOW + 2 * DAY_MS)]).toEqual([
    true,
    true,
    false,
  ]);
  await expect(book.add({ name: "guest", roles: ["read"] }, NOW)).rejects.toMatchObject({ code: "token-exists" });
  const again = await book.add({ name: "guest", roles: ["read"] }, NOW + 2 * DAY_MS);
  expect(await book.revoke("guest", NOW + 2 * DAY_MS)).toBe(true);
  expect(await book.revoke("guest", NOW + 3 * DAY_MS)).toBe(false);
  const [revoked] = (await book.read()) ?? [];
  expect(revoked).toEqual({ ...again.record, revoked: "2026-05-03T12:00:00.000Z" });
  expect(revoked !== undefined && isGood(revoked, NOW)).toBe(false);
  await book.add({ name: "guest", roles: ["jobs"] }, NOW);
  expect(await names()).toEqual(["guest"]);
  await expect(book.revoke("nobody", NOW)).rejects.toMatchObject({ code: "unknown-token" });
});

test("commands that write at once do not undo each other", async () => {
  await book.add({ name: "stolen", roles: ["read"] }, NOW);
  const added = ["a", "b", "c", "d"].map((name) => book.add({ name, roles: ["read"] }, NOW));
  await Promise.all([...added, book.revoke("stolen", NOW)]);
  const tokens = (await book.read()) ?? [];
  expect(tokens.map(({ name }) => name).sort()).toEqual(["a", "b", "c", "d", "stolen"]);
  expect(tokens.find(({ name }) => name === "stolen")?.revoked).not.toBeNull();
  expect(readdirSync(folder)).toEqual(["node.db.tokens"]);
});

test("a command that was killed while it wrote leaves a lock that the next one names", async () => {
  writeFileSync(`${book.file}.lock`, "");
  const refused = book.add({ name: "ops", roles: ["read"] }, NOW);
  await expect(refused).rejects.toMatchObject({ code: "book-locked", message: expect.stringContaining(".lock") });
  expect(existsSync(book.file)).toBe(false);
});

test.each([
  [{ name: "", roles: ["read"] }, "bad-name"],
  [{ name: "../etc", roles: ["read"] }, "bad-name"],
  [{ name: "a b", roles: ["read"] }, "bad-name"],
  [{ name: "a\nb", roles: ["read"] }, "bad-name"],
  [{ name: "n".repeat(65), roles: ["read"] }, "bad-name"],
  [{ name: "ops", roles: [] }, "bad-roles"],
  [{ name: "ops", roles: ["read"], days: 0 }, "bad-expiry"],
  [{ name: "ops", roles: ["read"], days: Number.NaN }, "bad-expiry"],
  [{ name: "ops", roles: ["read"], days: 1e9 }, "bad-expiry"],
] as const)("%j is refused: %s, and nothing is written", async (wish, code) => {
  await expect(book.add(wish, NOW)).rejects.toMatchObject({ code });
  expect(existsSync(book.file)).toBe(false);
});

test("a book that others may read, or that is not one, is refused and left as it is", async () => {
  const { record } = await book.add({ name: "ops", roles: ["read"] }, NOW);
  chmodSync(book.file, 0o640);
  await expect(book.read()).rejects.toMatchObject({ code: "book-open", message: expect.stringContaining("chmod 600") });
  chmodSync(book.file, 0o600);
  const damaged = [
    ["{", /no JSON/],
    ["[]", /version/],
    ["3", /the whole/],
    [JSON.stringify({ version: 2, tokens: [] }), /version/],
    [JSON.stringify({ version: 1, tokens: [{ ...record, roles: ["root"] }] }), /tokens\.0\.roles/],
    [JSON.stringify({ version: 1, tokens: [{ ...record, hash: "lst_pasted" }] }), /at tokens\.0\.hash/],
    [JSON.stringify({ version: 1, tokens: [{ ...record, expires: "tomorrow" }] }), /expires/],
    [" ".repeat(2_000_000), /2000000 bytes/],
  ] as const;
  for (const [text, message] of damaged) {
    writeFileSync(book.file, text);
    await expect(book.read(), text.slice(0, 60)).rejects.toMatchObject({
      code: "bad-book",
      message: expect.stringMatching(message),
    });
    await expect(book.add({ name: "new", roles: ["read"] }, NOW)).rejects.toMatchObject({ code: "bad-book" });
    expect(readFileSync(book.file, "utf8")).toBe(text);
    await expect(book.read()).rejects.not.toMatchObject({ message: expect.stringContaining("lst_pasted") });
  }
});

test("whatever has a token in it can be made fit for a log", () => {
  const secret = "lst_abcdefghijklmnopqrstuvwxyz0123456789_-ABCDEFG";
  expect(withoutSecrets(`/api?token=${secret}&x=${secret}`)).toBe("/api?token=lst_…&x=lst_…");
  expect(withoutSecrets("/api/v1/devices")).toBe("/api/v1/devices");
});
