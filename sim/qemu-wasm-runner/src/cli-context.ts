import type { Readable } from "node:stream";

/** Where a command writes and what it is told of its surroundings. */
export interface CliContext {
  readonly out: (text: string) => void;
  /** Bytes on standard output, as they are. */
  readonly outBytes: (bytes: Uint8Array) => void;
  readonly error: (text: string) => void;
  readonly input: Readable;
  /** Where programs are kept unless `--cache` says otherwise. */
  readonly cacheFolder: string;
  /**
   * Have Ctrl-C, or an ordinary kill, end what a command waits for rather than the command.
   *
   * @returns to be called when it no longer waits
   */
  readonly onInterrupt: (act: () => void) => () => void;
}
