import { type FileHandle, open, readFile, rm, writeFile } from "node:fs/promises";
import { whileLocked } from "../../owner-file.ts";
import { isRunning } from "../../running-process.ts";
import { openContainer } from "../../workloads/trajectory/container-reader.ts";
import { readAt } from "../../workloads/trajectory/container-scan.ts";
import { TrajectoryCore } from "../../workloads/trajectory/trajectory-core.ts";
import { CommandError } from "../command-error.ts";

/**
 * A container that frames are added to: it is as it was before unless that comes to its end.
 *
 * Beside it lies FILE.lock with the number of the process that adds, so that two never write over each other.
 */
export class AppendedFile {
  readonly handle: FileHandle;
  /** Where the chunks end, what was behind them, and how long that made the file. */
  readonly #end: number;
  readonly #tail: Buffer;
  readonly #lock: string;

  private constructor(handle: FileHandle, end: number, tail: Buffer, lock: string) {
    this.handle = handle;
    this.#lock = lock;
    this.#end = end;
    this.#tail = tail;
  }

  /**
   * @throws {TrajectoryError} as `openContainer`
   * @throws {CommandError} `file` while another process adds to it; errors of the system for a file that cannot be written
   */
  static async open(path: string): Promise<AppendedFile> {
    const handle = await open(path, "r+");
    const lock = `${path}.lock`;
    let isLocked = false;
    try {
      await takeLock(path, lock);
      isLocked = true;
      const { map } = await openContainer(handle, path, TrajectoryCore.load());
      const { size } = await handle.stat();
      return new AppendedFile(handle, map.end, await readAt(handle, map.end, size - map.end), lock);
    } catch (error) {
      await handle.close();
      if (isLocked) await rm(lock, { force: true });
      throw error;
    }
  }

  async keep(): Promise<void> {
    await this.handle.close();
    await rm(this.#lock, { force: true });
  }

  /** Put back the index over whatever was added. */
  async discard(): Promise<void> {
    await this.handle.truncate(this.#end);
    await this.handle.write(this.#tail, 0, this.#tail.length, this.#end);
    await this.handle.close();
    await rm(this.#lock, { force: true });
  }
}

/** @throws {CommandError} `file` where a process that runs has it; one that does not left it behind */
async function takeLock(path: string, lock: string): Promise<void> {
  const busy = (held: string, cause?: unknown) => {
    const remedy = `wait until it ends; delete ${held} if there is none`;
    return new CommandError("file", `another process is adding to ${path}`, remedy, { cause });
  };
  if (await hasMade(lock)) return;
  // One at a time: of two who find it left behind, the second must not remove what the first made in its place.
  await whileLocked(lock, busy, async () => {
    if (await isHeld(lock)) throw busy(lock);
    await rm(lock, { force: true });
    if (!(await hasMade(lock))) throw busy(lock);
  });
}

/** Make a lock where there is none. */
async function hasMade(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Whether a lock is a process's that runs, or does not say whose it is. */
async function isHeld(lock: string): Promise<boolean> {
  const owner = Number((await readFile(lock, "utf8").catch(() => "")).trim());
  return !(Number.isInteger(owner) && owner > 0) || isRunning(owner);
}
