import { accessSync, constants } from "node:fs";

/** Why a file cannot be written; null when it can. */
export function unwritable(file: string): string | null {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return null;
  } catch (cause) {
    return `${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}
