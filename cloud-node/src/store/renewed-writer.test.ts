import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BatchBuilder } from "./batch-builder.ts";
import { RenewedWriter } from "./renewed-writer.ts";
import { prepareStore } from "./sqlite-open.ts";
import { SqliteWriter } from "./sqlite-writer.ts";

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
