import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DeviceBook } from "../../access/device-book.ts";
import { TokenBook } from "../../access/token-book.ts";
import { type CheckedDoors, checkBooks } from "./check-books.ts";

const DOOR = "the broker";
const BOTH: Pick<CheckedDoors, "deviceDoor" | "hasPage"> = { deviceDoor: DOOR, hasPage: true };

let folder = "";
let store = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-books-"));
  store = join(folder, "node.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What is said about a node with both doors at an address; "" when it may listen. */
async function said(host: string, doors = BOTH): Promise<string> {
  const error: unknown = await checkBooks({ store, host, ...doors }).catch((cause: unknown) => cause);
  if (error !== undefined) expect(error).toMatchObject({ code: "open-door" });
  return error instanceof Error ? error.message : "";
}

test("what both books lack is told at once, each with its line, and each book that is there is told no more", async () => {
  expect(await said("127.0.0.1")).toBe("");
  const [device, token] = [
    `lockstep devices add NAME --store ${store}`,
    `lockstep tokens add me --role read --store ${store}`,
  ];
  const both = await said("0.0.0.0");
  expect(both).toContain(device);
  expect(both).toContain(token);
  expect(await said("0.0.0.0", { deviceDoor: undefined, hasPage: true })).not.toContain(device);
  expect(await said("0.0.0.0", { deviceDoor: DOOR, hasPage: false })).not.toContain(token);
  await new TokenBook(store).add({ name: "me", roles: ["read"] }, Date.now());
  expect(await said("0.0.0.0")).toContain(device);
  expect(await said("0.0.0.0")).not.toContain(token);
  await new DeviceBook(store).add("pump", { hasMac: false, added: "2026-01-01T00:00:00.000Z" });
  expect(await said("0.0.0.0")).toBe("");
});
