import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { LmFindings } from "./lm-part.ts";

/** What a part found, and how. */
export interface KeptPart {
  readonly findings: LmFindings;
  /** ISO 8601, when it ended. */
  readonly date: string;
  readonly seconds: number;
  /** Of the machine at the end: means over 1, 5 and 15 minutes. */
  readonly load: readonly number[];
}

const FILE = fileURLToPath(new URL("../../.lockstep/lm.json", import.meta.url));

/** Parts that were measured before, by name. */
export function readKept(): [string, KeptPart][] {
  let text: string;
  try {
    text = readFileSync(FILE, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  // JSON has no NaN: what was not measured has come back as null.
  const revive = (key: string, value: unknown) => (key === "measured" && value === null ? Number.NaN : value);
  return Object.entries(JSON.parse(text, revive) as Record<string, KeptPart>);
}

/** Keep what a part found in place of what it found before. */
export function keepPart(name: string, kept: KeptPart): void {
  const all = Object.fromEntries([...readKept(), [name, kept]]);
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(`${FILE}.new`, JSON.stringify(all));
  renameSync(`${FILE}.new`, FILE);
}
