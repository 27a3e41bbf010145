/**
 * Something that set-up cannot mend by itself. Its message is the one line that a person sees, and ends with what to
 * do about it.
 *
 * Codes: `unsupported-platform`, `network`, `read-only`, `lock-file`, `disk-full`, `busy`, `tool`.
 */
export class SetupError extends Error {
  /**
   * @param {string} code
   * @param {string} message  one line
   * @param {object} [details]
   * @param {string} [details.output]  what a tool printed, shown above the line where the tool's words are the news
   * @param {unknown} [details.cause]
   */
  constructor(code, message, { output = "", cause } = {}) {
    super(message, { cause });
    this.name = "SetupError";
    this.code = code;
    this.output = output;
  }
}

const READ_ONLY_CODES = new Set(["EACCES", "EROFS", "EPERM"]);

/**
 * Run `action`, turning a refusal of the file system into the line that says what to do.
 *
 * @template T
 * @param {string} folder  the folder that `action` writes to
 * @param {() => T} action
 * @returns {T}
 * @throws {SetupError} `read-only` or `disk-full`
 */
export function writing(folder, action) {
  try {
    return action();
  } catch (error) {
    if (READ_ONLY_CODES.has(error.code)) {
      throw new SetupError("read-only", `${folder} cannot be written: clone into a folder of your own`, {
        cause: error,
      });
    }
    if (error.code === "ENOSPC") {
      throw new SetupError("disk-full", `the disk of ${folder} is full: free some space, then run this again`, {
        cause: error,
      });
    }
    throw error;
  }
}
