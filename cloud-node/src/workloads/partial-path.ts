import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";

/** Of a file that a partial one is named after: in any script so many fit in 255 bytes with what follows them. */
const MOST_NAME_CHARACTERS = 60;

/** Where a file is written until it is whole: beside its place, under a name that nobody else has. */
export function partialPath(output: string): string {
  // A name may be as long as the system allows; with an ending it would be too long.
  const start = [...basename(output)].slice(0, MOST_NAME_CHARACTERS).join("");
  return join(dirname(output), `${start}.${randomBytes(4).toString("hex")}.part`);
}
