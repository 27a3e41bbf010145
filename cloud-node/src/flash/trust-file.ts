import { readFile } from "node:fs/promises";
import { writeWhole } from "../owner-file.ts";
import { FlashError } from "./flash-error.ts";
import { formatKey, parseKey, type TrustedKey } from "./signing-key.ts";

/** Beside the store. */
const SUFFIX = ".keys";
/** More than anybody trusts, and far below what would slow a node down. */
const MAX_BYTES = 1 << 20;

/** The keys whose packages a node takes: one line each in a file beside its store, `#` begins a remark. */
export class TrustFile {
  readonly file: string;

  /** @param storeFile  of the node */
  constructor(storeFile: string) {
    this.file = `${storeFile}${SUFFIX}`;
  }

  /**
   * The keys as the file has them now; none when there is no file.
   *
   * @throws {FlashError} `bad-key` naming the line, `bad-key-file` for a file that no person wrote
   */
  async read(): Promise<TrustedKey[]> {
    const text = await readFile(this.file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    if (text.length > MAX_BYTES) {
      throw new FlashError("bad-key-file", `${this.file} has ${text.length} bytes`, "keep one key a line, and no more");
    }
    return text.split("\n").flatMap((line, at) => {
      const isKey = line.trim() !== "" && !line.trimStart().startsWith("#");
      return isKey ? [parseKey(line, `${this.file}, line ${at + 1}`)] : [];
    });
  }

  /** Trust a key. @returns false when it was trusted before @throws {FlashError} as `read` */
  async add(key: TrustedKey): Promise<boolean> {
    const keys = await this.read();
    if (keys.some(({ id, algorithm }) => id === key.id && algorithm === key.algorithm)) return false;
    await this.#write([...keys, key]);
    return true;
  }

  /** Trust a key no more. @param id  16 hex digits @returns false when it was not trusted @throws {FlashError} as `read` */
  async remove(id: string): Promise<boolean> {
    const keys = await this.read();
    const others = keys.filter((key) => key.id !== id);
    if (others.length === keys.length) return false;
    await this.#write(others);
    return true;
  }

  async #write(keys: readonly TrustedKey[]): Promise<void> {
    const head = "# keys whose packages this node takes; `lockstep keys trust` adds one\n";
    await writeWhole(this.file, `${head}${keys.map((key) => `${formatKey(key)}\n`).join("")}`);
  }
}
