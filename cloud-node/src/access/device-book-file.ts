import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";
import { AccessError } from "./access-error.ts";
import { giveToOwner, syncFolder } from "./book-owner.ts";

const OWNER_ONLY = 0o600;
/** Permission bits of group and others. */
const NOT_OWNER = 0o077;
/** Over 200,000 devices; what is longer was not written by us. */
const MAX_BYTES = 1 << 26;
const FORMAT = 1;
/** What a device may be called: a topic carries it. */
export const DEVICE_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** A device as the book has it. */
export interface BookDevice {
  /** 1 … 64 of `[A-Za-z0-9_-]` */
  readonly id: string;
  /** SHA-256 of its secret, 64 hex digits. */
  readonly secretHash: string;
  /** The same secret as mosquitto's password file has it. */
  readonly brokerHash: string;
  /** 32 bytes in base64url; both ends need it as it is. Null: its frames have no MAC. */
  readonly macKey: string | null;
  /** ISO 8601. */
  readonly added: string;
  readonly revoked: string | null;
}

const deviceSchema = v.object({
  id: v.pipe(v.string(), v.regex(DEVICE_NAME)),
  secretHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  brokerHash: v.pipe(v.string(), v.regex(/^\$7\$\d+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+$/)),
  macKey: v.nullable(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/))),
  added: v.string(),
  revoked: v.nullable(v.string()),
});
const bookSchema = v.object({ format: v.literal(FORMAT), devices: v.array(deviceSchema) });

/** What tells one version of a file from the next; "" where there is none. */
export function fileVersion(file: string): string {
  const { ino, size, mtimeNs } = statSync(file, { bigint: true, throwIfNoEntry: false }) ?? {};
  return ino === undefined ? "" : `${ino} ${size} ${mtimeNs}`;
}

/**
 * The devices that a book's file has; none where there is no file.
 *
 * @throws {AccessError} `bad-device-book`, `device-book-open` when others may read it
 */
export function readBookFile(file: string): BookDevice[] {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.size > MAX_BYTES) throw damaged(file, `has ${stat.size} bytes, and a book at most ${MAX_BYTES}`);
  if (process.platform !== "win32" && (stat.mode & NOT_OWNER) !== 0) {
    const remedy = `make it yours alone, chmod 600 ${file}`;
    throw new AccessError("device-book-open", `${file} has keys of devices, and can be read by others`, remedy);
  }
  const parsed = v.safeParse(bookSchema, parseJson(file, readFileSync(file, "utf8")));
  if (!parsed.success) {
    const [{ message, path = [] }] = parsed.issues;
    throw damaged(file, `is no device book (${path.map(({ key }) => String(key)).join(".")}: ${message})`);
  }
  const { devices } = parsed.output;
  if (new Set(devices.map(({ id }) => id)).size < devices.length) throw damaged(file, "has a device twice");
  return devices;
}

/** Put devices in the place of those that a book's file has: whole or not at all, whenever the power goes. */
export function writeBookFile(file: string, devices: readonly BookDevice[]): void {
  const partial = `${file}.${randomBytes(4).toString("hex")}.part`;
  try {
    const handle = openSync(partial, "wx", OWNER_ONLY);
    try {
      giveToOwner(handle, file);
      writeFileSync(handle, `${JSON.stringify({ format: FORMAT, devices }, null, 1)}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(partial, file);
    syncFolder(dirname(file));
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/**
 * Keep other commands from writing while `change` does.
 *
 * @throws {AccessError} `device-book-busy`
 */
export function withBookLocked<Result>(file: string, change: () => Result): Result {
  const lock = `${file}.lock`;
  let handle: number;
  try {
    handle = openSync(lock, "wx", OWNER_ONLY);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    const remedy = `try again; where none does, rm ${lock}`;
    throw new AccessError("device-book-busy", `another command is writing ${file}`, remedy, { cause });
  }
  try {
    return change();
  } finally {
    closeSync(handle);
    rmSync(lock, { force: true });
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's own words: they quote what stands there, which is secret.
    throw damaged(file, "is not JSON");
  }
}

function damaged(file: string, problem: string): AccessError {
  return new AccessError("bad-device-book", `${file} ${problem}`, "bring it back from a copy");
}
