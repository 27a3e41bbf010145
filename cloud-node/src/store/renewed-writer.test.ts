import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BatchBuilder } from "./batch-builder.ts";
import { RenewedWriter } from "./renewed-writer.ts";
import { prepareStore } from "./sqlite-open.ts";
import { SqliteWriter } from "./sqlite-writer.ts";
import { StoreError } from "./store-error.ts";

test("a connection that was opened when the disk could only be read is made anew, and writes as soon as it can", () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-renewed-"));
  const file = join(folder, "store.db");
  const lock = prepareStore(file);
  const opened: string[] = [];
  const writer = new RenewedWriter(() => {
    opened.push(opened.length === 0 ? `file:${file}?mode=ro` : file);
    return new SqliteWriter(opened.at(-1) ?? "", 0);
  });
  const commit = () => {
    const batch = new BatchBuilder();
    batch.addRecord({ table: "device", id: "pump", key: 1 });
    return writer.use((one) => one.write(batch.build()));
  };
  expect(commit).toThrow(/readonly/);
  expect(commit().length).toBe(0);
  expect(commit().length).toBe(0);
  expect(opened.length).toBe(2);
  writer.close();
  lock.release();
  rmSync(folder, { recursive: true });
});

test("a connection that cannot be ended either does not hide why nothing could be written", () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-renewed-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "store.db");
  prepareStore(file).release();
  const only = new SqliteWriter(`file:${file}?mode=ro`, 0);
  const close = only.close.bind(only);
  only.close = () => {
    close();
    throw new StoreError("failed", { file, detail: "the end failed" });
  };
  const writer = new RenewedWriter(() => only);
  const batch = new BatchBuilder();
  batch.addRecord({ table: "device", id: "pump", key: 1 });
  expect(() => writer.use((one) => one.write(batch.build()))).toThrow(/readonly/);
});

test.runIf(process.platform === "linux")("a connection to what is no store is not left open", () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-renewed-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "store.db");
  writeFileSync(file, "");
  expect(() => new SqliteWriter(file, 0)).toThrow(/no such table/);
  const open = readdirSync("/proc/self/fd").map((fd) => linkOf(`/proc/self/fd/${fd}`));
  expect(open).not.toContain(file);
});

/** Where a link goes; nothing where it is gone meanwhile. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
