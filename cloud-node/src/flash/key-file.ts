import { open, readFile, stat } from "node:fs/promises";
import { isOpenToOthers } from "../owner-file.ts";
import { FlashError } from "./flash-error.ts";
import { createKey, formatKey, type KeyAlgorithm, parseSigningKey, type SigningKey } from "./signing-key.ts";

const OWNER_ONLY = 0o600;
const FOR_ALL = 0o644;
/** A key's file has some hundred bytes. */
const MAX_BYTES = 65_536;

/** Where a new key was put. */
export interface KeyFiles {
  readonly key: SigningKey;
  /** The private key or the secret; readable by its owner alone. */
  readonly file: string;
  /** The public key, one line; null for a secret, which has none. */
  readonly publicFile: string | null;
}

/**
 * Make a key and keep it; no file is ever written over.
 *
 * @throws {FlashError} `key-exists`
 */
export async function writeNewKey(file: string, algorithm: KeyAlgorithm): Promise<KeyFiles> {
  const publicFile = algorithm === "ed25519" ? `${file}.pub` : null;
  if (publicFile !== null && (await stat(publicFile).catch(() => undefined)) !== undefined) throw exists(publicFile);
  const { key, fileText } = createKey(algorithm);
  await writeOnce(file, fileText, OWNER_ONLY);
  if (publicFile !== null) await writeOnce(publicFile, `${formatKey(key.trusted)}\n`, FOR_ALL);
  return { key, file, publicFile };
}

/**
 * Read a private key or a secret.
 *
 * @throws {FlashError} `key-file-open` when others may read it too, `no-private-key`, `bad-key-file`
 */
export async function readSigningKey(file: string): Promise<SigningKey> {
  const facts = await stat(file);
  const { size } = facts;
  if (size > MAX_BYTES) throw new FlashError("bad-key-file", `${file} has ${size} bytes`, "give a key's file");
  const key = parseSigningKey(await readFile(file, "utf8"), file);
  if (isOpenToOthers(facts)) {
    throw new FlashError("key-file-open", `${file} can be read by others`, `make it yours alone, chmod 600 ${file}`);
  }
  return key;
}

async function writeOnce(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, "wx", mode).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EEXIST" ? exists(file) : error;
  });
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function exists(file: string): FlashError {
  return new FlashError("key-exists", `${file} is there already, and a key is never written over`, "give another name");
}
