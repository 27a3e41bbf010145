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
  1: "b64ad5a4771794e73aaa17b9594cb20732fca89feefd7ff0aa7752bdf67c6324",
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
