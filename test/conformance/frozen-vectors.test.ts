import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { WIRE_VERSION } from "@lockstep/protocol";
import { expect, test } from "vitest";

const VECTORS = new URL("../../protocol/vectors/", import.meta.url);

/**
 * SHA-256 over names and bytes of every golden vector, by wire version. A released version's is never changed: what
 * would change a vector is another wire version, with a line of its own.
 */
const FROZEN: Readonly<Record<number, string>> = {
  1: "8c121e3e6cde56a41d98b2450886fb40a6951b9c5a5ba9a49db14ac673c5c755",
};

test("the golden vectors of this wire version are what they were when it was frozen", () => {
  const files = readdirSync(VECTORS, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(cbor|json)$/.test(file))
    .map((file) => file.replaceAll("\\", "/"))
    .sort();
  expect(files.length).toBeGreaterThan(200);
  const digest = createHash("sha256");
  for (const file of files) digest.update(`${file}\0`).update(readFileSync(new URL(file, VECTORS)));
  expect(digest.digest("hex")).toBe(FROZEN[WIRE_VERSION]);
});
