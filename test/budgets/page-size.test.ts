import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const ASSETS = fileURLToPath(new URL("../../cloud-node/dashboard/dist/assets/", import.meta.url));
/** What a phone on a slow link can be asked to load. */
const BUDGET_BYTES = 150_000;
/** Past this every library is questioned. */
const QUESTION_BYTES = 80_000;

test("the page is under 80 kB compressed, and never over its budget of 150 kB", () => {
  const files = readdirSync(ASSETS).map((name) => readFileSync(`${ASSETS}${name}`));
  expect(files.length).toBeGreaterThan(1);
  const bytes = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
  expect(bytes).toBeLessThan(QUESTION_BYTES);
  expect(bytes).toBeLessThan(BUDGET_BYTES);
});
