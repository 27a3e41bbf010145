import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError, writing } from "./setup-error.js";

const POLL_MS = 200;
/** Time between making the lock and writing the owner's name into it, seen generously. */
const NAMING_MS = 5_000;
/** Longer than the slowest install and build; past it something hangs, and a person must look. */
const GIVE_UP_MS = 20 * 60_000;

/**
 * Run `action` while no other bootstrap works in the same clone.
 *
 * The lock is a folder, because making one is atomic on every file system. It holds one empty file per process at
 * work, named by its id: the owner, and what the owner started, because an install goes on after its parent was
 * killed. A lock that none of them is left to hold is taken over.
 *
 * @param {string} root
 * @param {import("./progress.js").Progress} progress
 * @param {(track: (pid: number) => void) => Promise<void>} action
 * @throws {SetupError} `read-only`; `busy` when another bootstrap does not end
 */
export async function withLock(root, progress, action) {
  const scratch = join(root, ".lockstep");
  const lock = join(scratch, "lock");
  writing(root, () => mkdirSync(scratch, { recursive: true }));
  await acquire(lock, progress);
  const track = (pid) => writeFileSync(join(lock, String(pid)), "");
  const release = () => rmSync(lock, { recursive: true, force: true });
  const abandon = (signal) => {
    for (const pid of processesOf(lock)) if (pid !== process.pid) stop(pid);
    release();
    progress.clear();
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", abandon).on("SIGTERM", abandon);
  try {
    track(process.pid);
    await action(track);
  } finally {
    process.off("SIGINT", abandon).off("SIGTERM", abandon);
    release();
  }
}

async function acquire(lock, progress) {
  const giveUpAt = Date.now() + GIVE_UP_MS;
  let hasSaid = false;
  while (!tryToMake(lock)) {
    if (isAbandoned(lock)) {
      takeAway(lock);
      continue;
    }
    if (Date.now() > giveUpAt) {
      throw new SetupError("busy", `another set-up is still at work: end it, remove ${lock}, then run this again`);
    }
    if (!hasSaid) progress.begin("waiting for another set-up of this clone");
    hasSaid = true;
    await sleep(POLL_MS);
  }
}

function tryToMake(lock) {
  try {
    writing(lock, () => mkdirSync(lock));
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function isAbandoned(lock) {
  const processes = processesOf(lock);
  if (processes.length > 0) return !processes.some(isAlive);
  const made = statSync(lock, { throwIfNoEntry: false });
  return made !== undefined && Date.now() - made.mtimeMs > NAMING_MS;
}

/** Renaming first makes sure that of several who saw the same abandoned lock, one removes it. */
function takeAway(lock) {
  const aside = `${lock}-${process.pid}`;
  try {
    renameSync(lock, aside);
    if (processesOf(aside).some(isAlive)) renameSync(aside, lock);
    else rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
}

function processesOf(lock) {
  try {
    return readdirSync(lock).map(Number);
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function stop(pid) {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
