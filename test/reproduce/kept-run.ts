import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takeLock } from "@lockstep/cloud-node/lab";
import type { Departure } from "./compare-pages.ts";
import { ReproduceError } from "./reproduce-error.ts";
import type { Form } from "./steps.ts";

/** What became of a step. */
export interface StepOutcome {
  readonly name: string;
  readonly command: string;
  /** `measured`: a benchmark, whatever it found; `passed`: an example as it is written. */
  readonly outcome: "measured" | "passed" | "failed" | "not run";
  /** Why it failed or was not run. */
  readonly reason?: string;
  readonly seconds: number;
  /** Load of the machine at its end, over a minute. */
  readonly load: number;
  /** ISO 8601. */
  readonly date: string;
  /** Goals of the benchmark that this run missed. */
  readonly goalsMissed: readonly string[];
  /** Cells that were held against the kept page. */
  readonly cells: number;
  readonly departures: readonly Departure[];
  /** Rows of the kept page that were not measured. */
  readonly rowsMissing: readonly string[];
}

/** What a run depends on: another one begins anew. */
export interface RunKey {
  readonly digest: string;
  readonly form: Form;
  readonly data: string;
}

/** What was reproduced so far, in a folder of this checkout: a run that was stopped goes on there. */
export class KeptRun {
  readonly folder: string;
  /** Pages and plots of benchmarks. */
  readonly pages: string;
  readonly #key: RunKey;
  readonly #outcomes = new Map<string, StepOutcome>();

  /** @param folder  of one form; what was kept under another key is removed */
  constructor(folder: string, key: RunKey, isFresh: boolean) {
    this.folder = folder;
    this.pages = join(folder, "results");
    this.#key = key;
    const kept = isFresh ? undefined : this.#read();
    if (kept === undefined || JSON.stringify(kept.key) !== JSON.stringify(key)) {
      for (const part of ["results", "logs", "state.json"])
        rmSync(join(folder, part), { recursive: true, force: true });
    } else {
      for (const outcome of kept.outcomes) this.#outcomes.set(outcome.name, outcome);
    }
    mkdirSync(this.pages, { recursive: true });
    mkdirSync(join(folder, "logs"), { recursive: true });
  }

  /** What became of a step by this command, unless it is to be tried again: what was missing may be there by now. */
  done(name: string, command: string): StepOutcome | undefined {
    const outcome = this.#outcomes.get(name);
    if (outcome?.command !== command) return undefined;
    return outcome.outcome === "measured" || outcome.outcome === "passed" ? outcome : undefined;
  }

  keep(outcome: StepOutcome): void {
    this.#outcomes.set(outcome.name, outcome);
    const file = this.#file();
    writeFileSync(`${file}.new`, JSON.stringify({ key: this.#key, outcomes: [...this.#outcomes.values()] }));
    renameSync(`${file}.new`, file);
  }

  log(name: string): string {
    return join(this.folder, "logs", `${name.replaceAll(" ", "-")}.log`);
  }

  #file(): string {
    return join(this.folder, "state.json");
  }

  #read(): { readonly key: RunKey; readonly outcomes: readonly StepOutcome[] } | undefined {
    if (!existsSync(this.#file())) return undefined;
    try {
      return JSON.parse(readFileSync(this.#file(), "utf8"));
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      return undefined;
    }
  }
}

/**
 * Let nobody else reproduce in this folder until the returned function is called.
 *
 * @throws {ReproduceError} `busy` while another process does
 */
export async function lockRun(folder: string): Promise<() => Promise<void>> {
  mkdirSync(folder, { recursive: true });
  return await takeLock(join(folder, "run"), (lock) => {
    return new ReproduceError("busy", { "another process has": lock, "where there is none": "delete that file" });
  });
}
