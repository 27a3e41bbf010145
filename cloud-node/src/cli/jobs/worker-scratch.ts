import { mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** Of a host and a process, then six characters that nobody else has. */
const PREFIX = "lockstep-worker";
/** Of this process; one of its number that is not among them is of an earlier process. */
const own = new Set<string>();

/**
 * Make a folder for a worker of this process, and sweep away those that workers of this host left that were killed.
 *
 * @param folder  where it is made
 */
export async function makeScratch(folder: string): Promise<string> {
  const host = `${PREFIX}-${hostname().replaceAll(/[^A-Za-z0-9.-]/g, "-")}-`;
  for (const name of await readdir(folder)) {
    const [, pid] = name.startsWith(host) ? (/^(\d+)-[A-Za-z0-9]{6}$/.exec(name.slice(host.length)) ?? []) : [];
    const path = join(folder, name);
    if (pid === undefined || own.has(path) || isAlive(Number(pid))) continue;
    // One that cannot be removed costs room, and no worker.
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
  const scratch = await mkdtemp(join(folder, `${host}${process.pid}-`));
  own.add(scratch);
  return scratch;
}

/** Remove a folder that `makeScratch` made. */
export async function removeScratch(scratch: string): Promise<void> {
  await rm(scratch, { recursive: true, force: true });
  own.delete(scratch);
}

/** Whether it is another process that runs. */
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's may not be asked.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
