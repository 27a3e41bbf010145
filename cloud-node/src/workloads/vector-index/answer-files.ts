import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Neighbours } from "./search-segment.ts";

/** Names of the two files, which other tools read, too: in front of every row is its length. */
const IDS_NAME = "neighbours.ivecs";
const DISTANCES_NAME = "distances.fvecs";

/** What was found, row by row in two files; where there are fewer than k, the id is -1 and the distance infinite. */
export class AnswerFiles {
  readonly #k: number;
  readonly #files: ReadonlyMap<string, FileHandle>;
  readonly #folder: string;

  private constructor(folder: string, k: number, files: ReadonlyMap<string, FileHandle>) {
    this.#folder = folder;
    this.#k = k;
    this.#files = files;
  }

  static async create(folder: string, k: number): Promise<AnswerFiles> {
    const files = new Map<string, FileHandle>();
    for (const name of [IDS_NAME, DISTANCES_NAME]) files.set(name, await open(join(folder, name), "w"));
    return new AnswerFiles(folder, k, files);
  }

  async add({ ids, distances }: Neighbours): Promise<void> {
    await this.#files.get(IDS_NAME)?.writeFile(this.#rows(ids));
    await this.#files.get(DISTANCES_NAME)?.writeFile(this.#rows(distances));
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }

  /** Name and path of each file. */
  get paths(): (readonly [string, string])[] {
    return [...this.#files.keys()].map((name) => [name, join(this.#folder, name)] as const);
  }

  #rows(values: Uint32Array | Float32Array): Uint8Array {
    const rows = values.length / this.#k;
    const words = new Uint32Array(rows * (this.#k + 1));
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let row = 0; row < rows; row++) {
      words[row * (this.#k + 1)] = this.#k;
      words.set(bits.subarray(row * this.#k, (row + 1) * this.#k), row * (this.#k + 1) + 1);
    }
    return new Uint8Array(words.buffer);
  }
}
