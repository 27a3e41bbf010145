import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import type { KeyAlgorithm, TrustedKey } from "../flash/signing-key.ts";
import { CommandError } from "./command-error.ts";
import { DEFAULT_STORE_FILE } from "./defaults.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";

const HELP = `
A package for devices is signed by whoever makes it, and taken by who trusts the key: the node, and each device. The node's
trusted keys are in a file beside its store; a device is built, or started, with the public key's line.

Examples:
  $ lockstep keys new release.key
  $ lockstep keys trust release.key.pub --store lockstep.db`;

/** `lockstep keys`: what packages are signed with, and whose packages a node takes. */
export function addKeys(program: Command, surroundings: Surroundings): void {
  const keys = program
    .command("keys")
    .summary("signing keys: make, show, trust, list")
    .description("Keys that packages for devices are signed with, and those whose packages a node takes.")
    .addHelpText("after", HELP);
  keys
    .command("new")
    .summary("make a key; no file is ever written over")
    .description(
      "Make a key: FILE for you alone, and FILE.pub, one line, for everybody. A secret (hmac) has no FILE.pub.",
    )
    .argument("<FILE>", "where the private key is put")
    .addOption(new Option("--kind <KIND>", "a key pair, or a secret that all share").choices(KINDS).default("ed25519"))
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep keys new release.key")
    .action((file: string, options: { kind: (typeof KINDS)[number]; json?: boolean }) =>
      runNew(surroundings, file, options),
    );
  keys
    .command("show")
    .summary("a key's public line and its id")
    .description("Show the line that nodes and devices trust a key by. Of a secret only the id is shown.")
    .argument("<FILE>", "a private key, a public key, or a secret")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep keys show release.key")
    .action((file: string, options: { json?: boolean }) => runShow(surroundings, file, options));
  keys
    .command("trust")
    .summary("let a node take packages that a key signed")
    .description("Trust a key, or no more: written beside the store, and read by the node at the next package.")
    .argument("<KEY>", "file of a public key or a secret, or the line itself; with --remove its id")
    .option("--store <FILE>", "SQLite file of the node", DEFAULT_STORE_FILE)
    .option("--remove", "trust it no more")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep keys trust release.key.pub --store lockstep.db")
    .action((key: string, options: TrustOptions) => runTrust(surroundings, key, options));
  keys
    .command("list")
    .summary("the keys whose packages a node takes")
    .description("List the keys whose packages a node takes, by id.")
    .option("--store <FILE>", "SQLite file of the node", DEFAULT_STORE_FILE)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep keys list --store lockstep.db")
    .action((options: { store: string; json?: boolean }) => runList(surroundings, options));
}

const KINDS = ["ed25519", "hmac"] as const;

interface TrustOptions {
  readonly store: string;
  readonly remove?: boolean;
  readonly json?: boolean;
}

async function runNew(
  surroundings: Surroundings,
  file: string,
  { kind, json }: { kind: (typeof KINDS)[number]; json?: boolean },
): Promise<void> {
  const { writeNewKey } = await import("../flash/key-file.ts");
  const algorithm: KeyAlgorithm = kind === "hmac" ? "hmac-sha256" : kind;
  const { key, publicFile } = await writeNewKey(file, algorithm);
  const told = { algorithm, id: key.trusted.id, file, publicFile, publicKey: await publicLine(key.trusted) };
  const place = publicFile === null ? `secret in ${file}` : `private in ${file}, public in ${publicFile}`;
  await writeResult(surroundings, json, told, `${algorithm} key ${key.trusted.id}: ${place}`);
}

async function runShow(surroundings: Surroundings, file: string, { json }: { json?: boolean }): Promise<void> {
  const { algorithm, id, ...key } = await readTrustedKey(file);
  const line = await publicLine({ algorithm, id, ...key });
  const text = line === null ? `key ${id}: a secret, which is not shown` : `${line} ${id}`;
  await writeResult(surroundings, json, { algorithm, id, publicKey: line }, text);
}

async function runTrust(surroundings: Surroundings, given: string, options: TrustOptions): Promise<void> {
  const { TrustFile } = await import("../flash/trust-file.ts");
  const trust = new TrustFile(options.store);
  if (options.remove === true) {
    const id = /^[0-9a-f]{16}$/.test(given) ? given : (await readTrustedKey(given)).id;
    if (!(await trust.remove(id))) {
      throw new CommandError("file", `${trust.file} has no key ${id}`, "see `lockstep keys list`");
    }
    await writeResult(
      surroundings,
      options.json,
      { id, trusted: false, file: trust.file },
      `key ${id} is not trusted now`,
    );
    return;
  }
  const key = await readTrustedKey(given);
  const isNew = await trust.add(key);
  const { algorithm, id } = key;
  const told = { algorithm, id, trusted: true, isNew, file: trust.file };
  await writeResult(
    surroundings,
    options.json,
    told,
    `key ${id} is ${isNew ? "" : "already "}trusted, in ${trust.file}`,
  );
}

async function runList(surroundings: Surroundings, { store, json }: { store: string; json?: boolean }): Promise<void> {
  const { TrustFile } = await import("../flash/trust-file.ts");
  const trust = new TrustFile(store);
  const keys = (await trust.read()).map(({ algorithm, id }) => ({ algorithm, id }));
  const lines = keys.map(({ algorithm, id }) => `${id}  ${algorithm}`);
  const none = `no key is trusted: this node takes no package; add one with \`lockstep keys trust FILE --store ${store}\``;
  await writeResult(surroundings, json, { file: trust.file, keys }, lines.length === 0 ? none : lines.join("\n"));
}

/** The key in a file of either half, or in the line itself. */
async function readTrustedKey(given: string): Promise<TrustedKey> {
  const { parseKey, parseSigningKey } = await import("../flash/signing-key.ts");
  if (/^[a-z0-9-]+:[A-Za-z0-9_-]{43}$/.test(given)) return parseKey(given, "the key");
  const text = await readFile(given, "utf8");
  return text.trimStart().startsWith("ed25519:") ? parseKey(text, given) : parseSigningKey(text, given).trusted;
}

/** Null for a secret. */
async function publicLine(key: TrustedKey): Promise<string | null> {
  const { formatKey } = await import("../flash/signing-key.ts");
  return key.algorithm === "ed25519" ? formatKey(key) : null;
}
