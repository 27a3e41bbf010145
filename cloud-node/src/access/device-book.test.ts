import {
  chmodSync,
  chownSync,
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
import type { AccessError } from "./access-error.ts";
import { DeviceBook } from "./device-book.ts";
import { hashSecret } from "./device-secret.ts";

const NOW = "2026-01-01T00:00:00.000Z";
const GIVEN = { hasMac: true, added: NOW };
let folder = "";
let store = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-book-"));
  store = join(folder, "node.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a book without a device is open, and makes no file", () => {
  const book = new DeviceBook(store);
  expect(book.isOpen).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
});

test("a device is admitted with its own secret, and nobody else's", async () => {
  const book = new DeviceBook(store);
  const pump = await book.add("pump", GIVEN);
  const fan = await book.add("fan", GIVEN);
  expect(book.isOpen).toBe(false);
  expect(book.admits("pump", pump.secret)).toBe(true);
  expect(book.admits("pump", fan.secret)).toBe(false);
  for (const wrong of [
    "",
    "x",
    `${pump.secret}=`,
    `${pump.secret} `,
    pump.secret.slice(1),
    pump.secret.toLowerCase(),
  ]) {
    expect(book.admits("pump", wrong), wrong).toBe(false);
  }
  for (const name of ["", "ghost", "PUMP", "__proto__", "constructor"]) {
    expect(book.admits(name, pump.secret), name).toBe(false);
    expect(book.grantOf(name), name).toBeUndefined();
  }
});

test("the file is its owner's alone, and has no secret but the keys of MACs", async () => {
  const book = new DeviceBook(store);
  const { secret, macKey } = await book.add("pump", GIVEN);
  const text = readFileSync(book.file, "utf8");
  expect(statSync(book.file).mode & 0o777).toBe(0o600);
  expect(text).not.toContain(secret);
  expect(text).toContain(hashSecret(secret));
  expect(text).toContain(macKey);
  expect(readdirSync(folder)).toEqual(["node.db.devices"]);
});

test("a key of MACs is 32 bytes, and a device without MACs, has none; a revoked one keeps its own", async () => {
  const book = new DeviceBook(store);
  const { macKey } = await book.add("pump", GIVEN);
  expect(Buffer.from(book.macKeyOf("pump") ?? []).toString("base64url")).toBe(macKey);
  expect(book.macKeyOf("pump")).toHaveLength(32);
  expect((await book.add("plain", { ...GIVEN, hasMac: false })).macKey).toBeNull();
  expect(book.macKeyOf("plain")).toBeUndefined();
  expect(book.devices()).toEqual(["pump"]);
  await book.revoke("pump", NOW);
  expect(Buffer.from(book.macKeyOf("pump") ?? []).toString("base64url")).toBe(macKey);
  expect(book.devices()).toEqual([]);
  expect(book.macKeyOf("ghost")).toBeUndefined();
});

test("jobs are for those that were added for them, as long as they may speak; a book of an earlier release has none", async () => {
  const book = new DeviceBook(store);
  await book.add("planner", { ...GIVEN, mayUseJobs: true });
  await book.add("pump", GIVEN);
  expect(["planner", "pump", "ghost", "__proto__"].map((id) => book.mayUseJobs(id))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(new DeviceBook(store).mayUseJobs("planner")).toBe(true);
  const { devices } = JSON.parse(readFileSync(book.file, "utf8"));
  const earlier = devices.map(({ mayUseJobs: _, ...rest }: { mayUseJobs: boolean }) => rest);
  writeFileSync(book.file, JSON.stringify({ format: 1, devices: earlier }), { mode: 0o600 });
  expect(new DeviceBook(store).mayUseJobs("planner")).toBe(false);
  writeFileSync(book.file, JSON.stringify({ format: 1, devices }), { mode: 0o600 });
  const again = new DeviceBook(store);
  await again.revoke("planner", NOW);
  expect(again.mayUseJobs("planner")).toBe(false);
});

test("a revoked device is not admitted, the book stays closed, and to add it again makes other secrets", async () => {
  const book = new DeviceBook(store);
  const first = await book.add("pump", GIVEN);
  const grant = book.grantOf("pump");
  await book.revoke("pump", NOW);
  expect(book.admits("pump", first.secret)).toBe(false);
  expect(book.isOpen).toBe(false);
  const second = await book.add("pump", GIVEN);
  expect(second.secret).not.toBe(first.secret);
  expect(book.admits("pump", first.secret)).toBe(false);
  expect(book.admits("pump", second.secret)).toBe(true);
  expect(book.grantOf("pump")).not.toBe(grant);
});

test("what another process writes holds at the next look, and is told", async () => {
  const node = new DeviceBook(store);
  const command = new DeviceBook(store);
  let changes = 0;
  const leave = node.onChange(() => {
    changes += 1;
  });
  const { secret } = await command.add("pump", GIVEN);
  expect(node.admits("pump", secret)).toBe(true);
  await command.revoke("pump", NOW);
  node.refresh();
  node.refresh();
  expect(node.grantOf("pump")).toBeUndefined();
  expect(changes).toBe(2);
  leave();
  await command.add("fan", GIVEN);
  node.refresh();
  expect(changes).toBe(2);
});

test("a file that is lost, emptied or damaged lets nobody in, and is told once", async () => {
  const problems: AccessError[] = [];
  const book = new DeviceBook(store, (problem) => problems.push(problem));
  const { secret } = await book.add("pump", GIVEN);
  const good = readFileSync(book.file);
  const harm: readonly (() => void)[] = [
    () => rmSync(book.file),
    () => writeFileSync(book.file, '{"format":1,"devices":[]}', { mode: 0o600 }),
    () => writeFileSync(book.file, `${good}x`, { mode: 0o600 }),
    () => writeFileSync(book.file, "", { mode: 0o600 }),
  ];
  for (const [at, damage] of harm.entries()) {
    damage();
    book.refresh();
    book.refresh();
    expect(book.isOpen).toBe(false);
    expect(book.admits("ghost", secret)).toBe(false);
    expect(book.admits("pump", secret)).toBe(true);
    expect(problems).toHaveLength(at + 1);
    expect(problems[at]?.code).toBe("bad-device-book");
  }
  writeFileSync(book.file, good, { mode: 0o600 });
  await book.revoke("pump", NOW);
  expect(book.admits("pump", secret)).toBe(false);
});

test.for([
  ["is no JSON", "{", "bad-device-book"],
  ["has another shape", '{"format":1,"devices":[{"id":"a"}]}', "bad-device-book"],
  ["is of another format", '{"format":2,"devices":[]}', "bad-device-book"],
] as const)("a file that %s is refused when a node starts, and quoted nowhere", ([, text, code]) => {
  writeFileSync(`${store}.devices`, text, { mode: 0o600 });
  expect(() => new DeviceBook(store)).toThrow(expect.objectContaining({ code }));
});

test("a file that has a device twice is refused", async () => {
  const book = new DeviceBook(store);
  await book.add("pump", GIVEN);
  const { format, devices } = JSON.parse(readFileSync(book.file, "utf8"));
  writeFileSync(book.file, JSON.stringify({ format, devices: [...devices, ...devices] }), { mode: 0o600 });
  expect(() => new DeviceBook(store)).toThrow(/has a device twice/);
});

test("a file that others may read is refused, with the line that closes it", async () => {
  await new DeviceBook(store).add("pump", GIVEN);
  chmodSync(`${store}.devices`, 0o640);
  expect(() => new DeviceBook(store)).toThrow(/chmod 600/);
});

test("a name that no topic carries, the node's own, and a device that is there are refused, and change nothing", async () => {
  const book = new DeviceBook(store);
  await book.add("pump", GIVEN);
  for (const id of ["", "a/b", "a+", "#", "lockstep-node", "ü", "x".repeat(65), "a b"]) {
    await expect(book.add(id, GIVEN), id).rejects.toMatchObject({ code: "bad-device-id" });
  }
  await expect(book.add("pump", GIVEN)).rejects.toMatchObject({ code: "device-exists" });
  await expect(book.revoke("ghost", NOW)).rejects.toMatchObject({ code: "unknown-device" });
  expect(book.list().map(({ id }) => id)).toEqual(["pump"]);
});

test("two commands at once do not lose each other's device: the second is told to wait", async () => {
  const book = new DeviceBook(store);
  await book.add("pump", GIVEN);
  writeFileSync(`${book.file}.lock`, "");
  await expect(book.add("fan", GIVEN)).rejects.toMatchObject({ code: "device-book-busy" });
  rmSync(`${book.file}.lock`);
  await book.add("fan", GIVEN);
  expect(existsSync(`${book.file}.lock`)).toBe(false);
  expect(book.list()).toHaveLength(2);
});

test.runIf(process.getuid?.() === 0)(
  "what root writes is its owner's: of the book, else of the store, else of the folder",
  async () => {
    const owner = () => statSync(`${store}.devices`).uid;
    const [ofFolder, ofStore, ofBook] = [1001, 1002, 1003];
    chownSync(folder, ofFolder, ofFolder);
    const book = new DeviceBook(store);
    await book.add("pump", GIVEN);
    expect(owner()).toBe(ofFolder);
    rmSync(book.file);
    writeFileSync(store, "");
    chownSync(store, ofStore, ofStore);
    await new DeviceBook(store).add("pump", GIVEN);
    expect(owner()).toBe(ofStore);
    chownSync(book.file, ofBook, ofBook);
    await new DeviceBook(store).add("fan", GIVEN);
    expect(owner()).toBe(ofBook);
  },
);
