import { type FileHandle, open } from "node:fs/promises";
import { openContainer } from "../../workloads/trajectory/container-reader.ts";
import { readAt } from "../../workloads/trajectory/container-scan.ts";
import { TrajectoryCore } from "../../workloads/trajectory/trajectory-core.ts";

/** A container that frames are added to: it is as it was before unless that comes to its end. */
export class AppendedFile {
  readonly handle: FileHandle;
  /** Where the chunks end, what was behind them, and how long that made the file. */
  readonly #end: number;
  readonly #tail: Buffer;

  private constructor(handle: FileHandle, end: number, tail: Buffer) {
    this.handle = handle;
    this.#end = end;
    this.#tail = tail;
  }

  /** @throws {TrajectoryError} as `openContainer`; errors of the system for a file that cannot be written */
  static async open(path: string): Promise<AppendedFile> {
    const handle = await open(path, "r+");
    try {
      const { map } = await openContainer(handle, path, TrajectoryCore.load());
      const { size } = await handle.stat();
      return new AppendedFile(handle, map.end, await readAt(handle, map.end, size - map.end));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async keep(): Promise<void> {
    await this.handle.close();
  }

  /** Put back the index over whatever was added. */
  async discard(): Promise<void> {
    await this.handle.truncate(this.#end);
    await this.handle.write(this.#tail, 0, this.#tail.length, this.#end);
    await this.handle.close();
  }
}
