/** What systems say of a disk, a quota and a file that have no room left. */
const FULL: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Whether what was thrown is the system's word that there is no room left to write to. */
export function isOutOfRoom(thrown: unknown): thrown is Error {
  return thrown instanceof Error && "code" in thrown && FULL.has(thrown.code);
}
