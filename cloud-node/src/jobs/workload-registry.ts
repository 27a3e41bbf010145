import * as v from "valibot";
import type { JsonObject } from "./job.ts";
import { JobError } from "./job-error.ts";
import type { Workload } from "./workload.ts";

/** Workloads by name, each loaded when the first job of its kind comes. */
export type WorkloadRegistry = Readonly<Record<string, () => Promise<Workload>>>;

/** What a registry's file must export. */
export interface RegistryModule {
  readonly WORKLOADS: WorkloadRegistry;
}

/**
 * What loads a workload.
 *
 * @throws {JobError} `unknown-workload`, with the names that there are
 */
export function findWorkload(workloads: WorkloadRegistry, name: string): () => Promise<Workload> {
  const load = Object.hasOwn(workloads, name) ? workloads[name] : undefined;
  if (load === undefined) {
    const known = Object.keys(workloads).join(", ");
    throw new JobError("unknown-workload", `no workload "${name}"`, `there are ${known}; a newer release may have it`);
  }
  return load;
}

/**
 * The parameters of a job as its workload takes them, defaults filled in.
 *
 * @throws {JobError} `bad-params`, with the path of the first field that is wrong
 */
export function checkParams(workload: Pick<Workload, "name" | "params">, params: JsonObject): JsonObject {
  const checked = v.safeParse(workload.params, params);
  if (checked.success) return checked.output;
  const [issue] = checked.issues;
  const field = v.getDotPath(issue) ?? "params";
  throw new JobError("bad-params", `${workload.name}, ${field}: ${issue.message}`, "mend it, and submit the job anew");
}
