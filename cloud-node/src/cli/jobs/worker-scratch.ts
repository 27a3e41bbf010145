import { mkdtemp, readdir, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Clock, Timer } from "../../clock.ts";
import { isRunning } from "../../running-process.ts";

/** Of a host and a process, then six characters that nobody else has. */
const PREFIX = "lockstep-worker";
/** A worker says so often that its folder is in use, ms. */
const TOUCH_MS = 60_000;
/** One of which that was not said for so long, nor anything put there, may be left behind: many times as long, ms. */
const QUIET_MS = 900_000;
/** Of this process, with what says next that it is in use. */
const own = new Map<string, Timer>();

/**
 * Make a folder for a worker of this process, and sweep away those that workers of this host left that were killed.
 *
 * @param folder  where it is made; other machines and containers may have it too, also some of the same name
 */
export async function makeScratch(folder: string, clock: Clock): Promise<string> {
  const host = `${PREFIX}-${hostname().replaceAll(/[^A-Za-z0-9.-]/g, "-")}-`;
  for (const name of await readdir(folder)) {
    const [, pid] = name.startsWith(host) ? (/^(\d+)-[A-Za-z0-9]{6}$/.exec(name.slice(host.length)) ?? []) : [];
    const path = join(folder, name);
    if (pid === undefined || own.has(path)) continue;
    if (Number(pid) !== process.pid && isRunning(Number(pid))) continue;
    // Elsewhere processes are numbered anew: one that is not here may run there.
    if (!(await isQuiet(path, clock))) continue;
    // One that cannot be removed costs room, and no worker.
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
  const scratch = await mkdtemp(join(folder, `${host}${process.pid}-`));
  await touch(scratch, clock);
  return scratch;
}

/** Remove a folder that `makeScratch` made. */
export async function removeScratch(scratch: string): Promise<void> {
  own.get(scratch)?.cancel();
  own.delete(scratch);
  await rm(scratch, { recursive: true, force: true });
}

/** Say that a folder is in use, now and again and again. */
async function touch(scratch: string, clock: Clock): Promise<void> {
  own.set(
    scratch,
    clock.setTimer(() => void touch(scratch, clock), TOUCH_MS),
  );
  const now = clock.unixUs() / 1e6;
  // Whoever cannot write there will hear of it from the jobs.
  await utimes(scratch, now, now).catch(() => {});
}

async function isQuiet(path: string, clock: Clock): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined);
  return facts !== undefined && facts.mtimeMs < clock.unixUs() / 1000 - QUIET_MS;
}
