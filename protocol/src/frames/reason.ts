import type { CborReader } from "../cbor-reader.ts";
import type { CborWriter } from "../cbor-writer.ts";
import { FrameError } from "../errors.ts";
import { field } from "../field.ts";

/** Read a reason, a number from 1, as its name in `names`. @throws {FrameError} `out-of-range` for one without a name */
export function readReason<Name extends string>(reader: CborReader, names: readonly Name[]): Name {
  const offset = reader.offset;
  const reason = reader.uint(field("reason", 1, names.length));
  const name = names[reason - 1];
  if (name === undefined) {
    throw new FrameError("out-of-range", { offset, field: "reason", have: reason, limit: names.length });
  }
  return name;
}

/** Mirrors {@link readReason}. @throws {FrameError} `out-of-range` for a name that is not in `names` */
export function writeReason<Name extends string>(writer: CborWriter, name: Name, names: readonly Name[]): void {
  writer.int(names.indexOf(name) + 1, field("reason", 1, names.length));
}
