import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { WIRE_VERSION } from "@lockstep/protocol";
import { expect, test } from "vitest";

const VECTORS = new URL("../../protocol/vectors/", import.meta.url);

/** Golden lines of a link's framing, which came later than the frames and are held by a digest of their own. */
const SERIAL = "serial/";

/** Frames of kind 11, an addition to version 1 that changed no vector before it. */
const FLASH = /^(refused\/)?flash-[^/]*$/;

/** Frames of kinds 12 to 14, sealed ones among them, and ids of jobs: an addition to version 1 that changed no vector before it. */
const JOBS = /^(refused\/|mac\/)?(job|result|exchange)(-[^/]*)?\.(cbor|json)$/;

/** Sealed frames, an addition to version 1 that changed no vector before it. */
const MAC = "mac/";

/**
 * SHA-256 over names and bytes of every golden vector of frames and payloads, by wire version. A released version's is never changed: what
 * would change a vector is another wire version, with a line of its own.
 */
const FROZEN: Readonly<Record<number, string>> = {
  1: "b5782b23dfe0804d586224fd6aa6bf0d12b937e0f4530fb46c2c2ed4796a5228",
};

/** The same of the serial line's framing, which is frozen with the wire version that it was released beside. */
const FROZEN_SERIAL: Readonly<Record<number, string>> = {
  1: "4ef2f29f677d99e6379d3641c8cea18afa834fe1a0bfad967835deaf327dc9f7",
};

/** The same of the frames by which devices are updated. */
const FROZEN_FLASH: Readonly<Record<number, string>> = {
  1: "4b94c1b66145380b51c4fc8dad1e032bbf193a55e253a368b27a1c5897b5b195",
};

/** The same of sealed frames. */
const FROZEN_MAC: Readonly<Record<number, string>> = {
  1: "2eef551753e6e7044346a18e4cdbea1ee946d6e6ca25b03ed9f7151a15bc6342",
};

/** The same of frames about jobs. */
const FROZEN_JOBS: Readonly<Record<number, string>> = {
  1: "d19d66a94168479fbb76e81438a5fe19d09a2670ae2ca25f15112e3aef261ec5",
};

test("the golden vectors of this wire version are what they were when it was frozen", () => {
  const later = (file: string) =>
    file.startsWith(SERIAL) || file.startsWith(MAC) || FLASH.test(file) || JOBS.test(file);
  const files = vectorFiles().filter((file) => !later(file));
  expect(files.length).toBeGreaterThan(200);
  expect(digestOf(files)).toBe(FROZEN[WIRE_VERSION]);
});

test("so are the golden lines of the serial framing", () => {
  const files = vectorFiles().filter((file) => file.startsWith(SERIAL));
  expect(files.length).toBeGreaterThan(20);
  expect(digestOf(files)).toBe(FROZEN_SERIAL[WIRE_VERSION]);
});

test("so are the frames that came later, by the names that they came under", () => {
  const files = vectorFiles().filter((file) => FLASH.test(file));
  expect(files.length).toBeGreaterThan(60);
  expect(digestOf(files)).toBe(FROZEN_FLASH[WIRE_VERSION]);
});

test("so are sealed frames, with their keys", () => {
  const files = vectorFiles().filter((file) => file.startsWith(MAC) && !JOBS.test(file));
  expect(files.length).toBeGreaterThan(15);
  expect(digestOf(files)).toBe(FROZEN_MAC[WIRE_VERSION]);
});

test("so are frames about jobs, and what a job's id is", () => {
  const files = vectorFiles().filter((file) => JOBS.test(file));
  expect(files.length).toBeGreaterThan(100);
  expect(files).toContain("job-ids.json");
  expect(digestOf(files)).toBe(FROZEN_JOBS[WIRE_VERSION]);
});

function vectorFiles(): string[] {
  return readdirSync(VECTORS, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(cbor|json)$/.test(file))
    .map((file) => file.replaceAll("\\", "/"))
    .sort();
}

function digestOf(files: readonly string[]): string {
  const digest = createHash("sha256");
  for (const file of files) digest.update(`${file}\0`).update(readFileSync(new URL(file, VECTORS)));
  return digest.digest("hex");
}
