import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { PartFindings } from "./bench-part.ts";

/** What a part found, and how. */
export interface KeptPart {
  readonly findings: PartFindings;
  /** ISO 8601, when it ended. */
  readonly date: string;
  readonly seconds: number;
  /** Of the machine at the end: means over 1, 5 and 15 minutes. */
  readonly load: readonly number[];
}

/** What the parts of a benchmark found last, in a file of this checkout. */
export class KeptParts {
  readonly #file: string;

  /** @param bench  name of the benchmark */
  constructor(bench: string) {
    this.#file = fileURLToPath(new URL(`../../.lockstep/${bench}.json`, import.meta.url));
  }

  /** Parts that were measured before, by name. */
  read(): [string, KeptPart][] {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
    // JSON has no NaN: what was not measured has come back as null.
    const revive = (key: string, value: unknown) => (key === "measured" && value === null ? Number.NaN : value);
    return Object.entries(JSON.parse(text, revive) as Record<string, KeptPart>);
  }

  /** Keep what a part found in place of what it found before. */
  keep(name: string, kept: KeptPart): void {
    const all = Object.fromEntries([...this.read(), [name, kept]]);
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(all));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
