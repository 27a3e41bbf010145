import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSigningKey, writeNewKey } from "./key-file.ts";
import { createKey, formatKey, isSignedBy, KEY_ALGORITHMS, parseKey, parseSigningKey } from "./signing-key.ts";
import { TrustFile } from "./trust-file.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-keys-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const MESSAGE = new TextEncoder().encode("lockstep update 1");

test.for(KEY_ALGORITHMS)("what a key of kind %s signs is its own, and nothing else is", (algorithm) => {
  const { key, fileText } = createKey(algorithm);
  const signature = parseSigningKey(fileText, "file").sign(MESSAGE);
  const trusted = parseKey(formatKey(key.trusted), "line");
  expect(trusted).toEqual(key.trusted);
  expect(isSignedBy(trusted, MESSAGE, signature)).toBe(true);
  expect(isSignedBy(createKey(algorithm).key.trusted, MESSAGE, signature)).toBe(false);
  expect(isSignedBy(trusted, MESSAGE.slice(1), signature)).toBe(false);
  expect(isSignedBy(trusted, MESSAGE, signature.slice(1))).toBe(false);
  for (const at of [0, signature.length - 1]) {
    const turned = signature.map((byte, i) => (i === at ? byte ^ 1 : byte));
    expect(isSignedBy(trusted, MESSAGE, turned)).toBe(false);
  }
});

test("the first key of RFC 8032, section 7.1, has the public key and the signature that stand there", () => {
  const seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  const der = Buffer.from(`302e020100300506032b657004220420${seed}`, "hex").toString("base64");
  const key = parseSigningKey(`-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`, "test 1");
  expect(Buffer.from(key.trusted.bytes).toString("hex")).toBe(
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  );
  expect(Buffer.from(key.sign(new Uint8Array())).toString("hex")).toMatch(/^e5564300c360ac729086e2cc806e828a/);
});

test.for([
  "",
  "ed25519:",
  "ed25519:AAAA",
  `ed25519:${"A".repeat(44)}`,
  `ed25519:${"A".repeat(42)}B`,
  `ed25519:${"+".repeat(43)}`,
  `rsa:${"A".repeat(43)}`,
  `ed25519:${"A".repeat(43)}:x`,
])("%j is no key, and the refusal says what one looks like", (line) => {
  expect(() => parseKey(line, "trusted, line 3")).toThrow(/^trusted, line 3: this is no key: write ed25519: or/);
});

test("a key's file is its owner's alone, and is never written over", async () => {
  const file = join(folder, "release.key");
  const { key, publicFile } = await writeNewKey(file, "ed25519");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(publicFile ?? "", "utf8")).toBe(`${formatKey(key.trusted)}\n`);
  expect((await readSigningKey(file)).trusted).toEqual(key.trusted);
  const before = readFileSync(file, "utf8");
  await expect(writeNewKey(file, "ed25519")).rejects.toMatchObject({ code: "key-exists" });
  await expect(writeNewKey(file, "hmac-sha256")).rejects.toMatchObject({ code: "key-exists" });
  expect(readFileSync(file, "utf8")).toBe(before);
  await expect(readSigningKey(publicFile ?? "")).rejects.toMatchObject({ code: "no-private-key" });
});

test("a private key that others may read is not used", async () => {
  const file = join(folder, "open.key");
  writeFileSync(file, createKey("ed25519").fileText, { mode: 0o644 });
  await expect(readSigningKey(file)).rejects.toMatchObject({ code: "key-file-open" });
});

test("a file that is damaged, empty or something else is refused as no key", () => {
  const { fileText } = createKey("ed25519");
  for (const text of ["", "hello", fileText.replace(/M/, ""), `${fileText.slice(0, 60)}`, "hmac:AAAA"]) {
    expect(() => parseSigningKey(text, "a.key")).toThrow(/^(a\.key|a\.key: this is no key)/);
  }
});

test("trusted keys are kept beside the store, one line each, until one is taken back", async () => {
  const trust = new TrustFile(join(folder, "store.db"));
  expect(await trust.read()).toEqual([]);
  const [one, two] = [createKey("ed25519").key.trusted, createKey("hmac-sha256").key.trusted];
  expect([await trust.add(one), await trust.add(two), await trust.add(one)]).toEqual([true, true, false]);
  expect(statSync(trust.file).mode & 0o777).toBe(0o600);
  expect(await new TrustFile(join(folder, "store.db")).read()).toEqual([one, two]);
  expect([await trust.remove(one.id), await trust.remove(one.id)]).toEqual([true, false]);
  expect(await trust.read()).toEqual([two]);
  writeFileSync(trust.file, `# mine\n\n${formatKey(one)}\nnonsense\n`);
  await expect(trust.read()).rejects.toThrow(/keys, line 4: this is no key/);
});
