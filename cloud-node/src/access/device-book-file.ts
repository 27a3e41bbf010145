import { readFileSync, statSync } from "node:fs";
import * as v from "valibot";
import { isOpenToOthers, whileLocked, writeWhole } from "../owner-file.ts";
import { AccessError } from "./access-error.ts";

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
  /** It may hand jobs in, and end them. */
  readonly mayUseJobs: boolean;
  /** ISO 8601. */
  readonly added: string;
  readonly revoked: string | null;
}

const deviceSchema = v.object({
  id: v.pipe(v.string(), v.regex(DEVICE_NAME)),
  secretHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  brokerHash: v.pipe(v.string(), v.regex(/^\$7\$\d+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+$/)),
  macKey: v.nullable(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/))),
  // A book of an earlier release says nothing of jobs.
  mayUseJobs: v.optional(v.boolean(), false),
  added: v.string(),
  revoked: v.nullable(v.string()),
});
const bookSchema = v.object({ format: v.literal(FORMAT), devices: v.array(deviceSchema) });

/**
 * The devices that a book's file has; none where there is no file.
 *
 * @throws {AccessError} `bad-device-book`, `device-book-open` when others may read it
 */
export function readBookFile(file: string): BookDevice[] {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.size > MAX_BYTES) throw damaged(file, `has ${stat.size} bytes, and a book at most ${MAX_BYTES}`);
  if (isOpenToOthers(stat)) {
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

/**
 * Change the devices of a book's file, one command at a time: whole or not at all, whenever the power goes.
 *
 * @param change  told the devices as they are now @returns them as they are to be
 * @throws {AccessError} `device-book-busy`; as `readBookFile`
 */
export async function changeBookFile(
  file: string,
  change: (devices: BookDevice[]) => Iterable<BookDevice>,
): Promise<void> {
  const busy = (lock: string, cause: unknown) => {
    const remedy = `try again; where none does, rm ${lock}`;
    return new AccessError("device-book-busy", `another command is writing ${file}`, remedy, { cause });
  };
  await whileLocked(file, busy, async () => {
    const devices = [...change(readBookFile(file))];
    await writeWhole(file, `${JSON.stringify({ format: FORMAT, devices }, null, 1)}\n`);
  });
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
