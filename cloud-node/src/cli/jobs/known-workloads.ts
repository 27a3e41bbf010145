import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { JsonObject } from "../../jobs/job.ts";
import { JobError } from "../../jobs/job-error.ts";
import { checkParams, findWorkload, type RegistryModule, type WorkloadRegistry } from "../../jobs/workload-registry.ts";
import { CommandError } from "../command-error.ts";

/** What the option does, for a command's help. */
export const WORKLOADS_FROM_HELP =
  "a module of workloads of your own, which exports WORKLOADS (default: this release's)";

/** Kinds of work, and the module that has them: each thread of a worker loads it. */
export interface KnownWorkloads {
  readonly url: string;
  readonly workloads: WorkloadRegistry;
}

/**
 * The kinds of work that there are.
 *
 * @param file  a module of somebody's own; undefined: those of this release
 * @throws {CommandError} `file` when it cannot be loaded, or has none
 */
export async function knownWorkloads(file: string | undefined): Promise<KnownWorkloads> {
  if (file === undefined) {
    const { WORKLOADS: workloads, WORKLOADS_URL: url } = await import("../workloads.ts");
    return { url, workloads };
  }
  const { href: url } = pathToFileURL(resolve(file));
  try {
    const module = (await import(url)) as Partial<RegistryModule>;
    if (typeof module.WORKLOADS === "object") return { url, workloads: module.WORKLOADS };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      "file",
      `${file} cannot be loaded as a module: ${reason}`,
      "see docs/guides/new-workload.md",
      {
        cause,
      },
    );
  }
  throw new CommandError("file", `${file} exports no WORKLOADS`, "see docs/guides/new-workload.md");
}

/**
 * Refuse, before anything is sent, work that no worker of these could do.
 *
 * @throws {CommandError} `usage`, which names the field that is wrong
 */
export async function checkWork({ workloads }: KnownWorkloads, name: string, params: JsonObject): Promise<void> {
  try {
    checkParams(await findWorkload(workloads, name)(), params);
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    throw new CommandError("usage", error.message, "", { cause: error });
  }
}
