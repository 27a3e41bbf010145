import { type FileHandle, open } from "node:fs/promises";
import { takeLock } from "../../process-lock.ts";
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
  readonly #release: () => Promise<void>;

  private constructor(handle: FileHandle, end: number, tail: Buffer, release: () => Promise<void>) {
    this.handle = handle;
    this.#release = release;
    this.#end = end;
    this.#tail = tail;
  }

  /**
   * @throws {TrajectoryError} as `openContainer`
   * @throws {CommandError} `file` while another process adds to it; errors of the system for a file that cannot be written
   */
  static async open(path: string): Promise<AppendedFile> {
    const handle = await open(path, "r+");
    const busy = (held: string, cause?: unknown) => {
      const remedy = `wait until it ends; delete ${held} if there is none`;
      return new CommandError("file", `another process is adding to ${path}`, remedy, { cause });
    };
    let release: (() => Promise<void>) | undefined;
    try {
      release = await takeLock(path, busy);
      const { map } = await openContainer(handle, path, TrajectoryCore.load());
      const { size } = await handle.stat();
      return new AppendedFile(handle, map.end, await readAt(handle, map.end, size - map.end), release);
    } catch (error) {
      await handle.close();
      await release?.();
      throw error;
    }
  }

  async keep(): Promise<void> {
    await this.handle.close();
    await this.#release();
  }

  /** Put back the index over whatever was added. */
  async discard(): Promise<void> {
    await this.handle.truncate(this.#end);
    await this.handle.write(this.#tail, 0, this.#tail.length, this.#end);
    await this.handle.close();
    await this.#release();
  }
}
