import type { JsonObject } from "../../jobs/job.ts";
import type { RunHooks } from "./run-hooks.ts";
import type { StageName } from "./stages.ts";

/** Where a step finds what it declared, and nothing else. */
export interface StepFolders {
  /** @param input  as declared. @returns its path. @throws {InvariantError} what was not declared */
  in(input: string): string;
  /** The run's folder, to name what is not there any more; nothing is read through it. */
  readonly root: string;
  /** An empty folder of its own: what is in it afterwards is the step's output. */
  readonly out: string;
}

/**
 * A piece of a run: a function from files to one new folder. The same inputs and options give the same bytes, whoever runs it
 * and however often it was stopped, so nothing in its output tells of times, places or machines.
 */
export interface Step {
  readonly stage: StageName;
  /** Once in a run: `teacher-arithmetic`. */
  readonly name: string;
  /** Files and folders below the run's own. */
  readonly inputs: readonly string[];
  /** Below the run's own folder; another for each step. */
  readonly output: string;
  /** All that the result depends on beside the inputs. */
  readonly options: JsonObject;
  /** Whether only this machine has what it needs; others may be done anywhere. */
  readonly isHere?: boolean;
  /** Whether its inputs may never change once it was done. */
  readonly isLock?: boolean;
  /** Files and folders of the run that are taken away for good, around this step. */
  readonly removes?: {
    readonly when: "before" | "after";
    readonly paths: readonly string[];
    /** Whether somebody has to say yes. */
    readonly isAsked: boolean;
  };
  /** @returns what evidence tells of it: as deterministic as the output */
  run(folders: StepFolders, hooks: RunHooks): Promise<JsonObject>;
}
