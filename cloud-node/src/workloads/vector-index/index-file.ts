import { type FileHandle, open } from "node:fs/promises";
import { foldSegments } from "./fold-segments.ts";
import type { CodingError, IndexFacts } from "./index-facts.ts";
import type { IndexHeader } from "./index-format.ts";
import { type FileState, readIndexHeader } from "./index-header.ts";
import type { IndexModel } from "./model.ts";
import { decodeModel } from "./model-sections.ts";
import { codeBytesOf } from "./placed-model.ts";
import { rerankTier } from "./rerank-rows.ts";
import type { SearchSegment } from "./search-segment.ts";
import { SectionReader } from "./section-reader.ts";
import { HALF_BYTES, ID_BYTES, rowsOf, type SectionTag, type SegmentSections } from "./section-table.ts";
import {
  type ErrorSums,
  isMarked,
  listsProblem,
  rowsProblem,
  type SegmentLists,
  type SegmentRows,
} from "./segment-rows.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** Lists [from, to) of an index. */
export interface ListRange {
  readonly from: number;
  readonly to: number;
}

/**
 * An open index. Header and table are read at first, and every section only when it is wanted: nothing of it is given
 * out before its checksum is right. The file never changes: whoever changes an index puts another file in its place.
 */
export class IndexFile {
  readonly path: string;
  readonly facts: IndexFacts;
  /** @internal As it stands in the file. */
  readonly header: IndexHeader;
  /** @internal Which file it is: another one may have its path later. */
  readonly state: FileState;
  /** Rows of the segments before each one, deleted ones among them. */
  readonly rowsBefore: readonly number[];
  readonly #file: FileHandle;
  readonly #reader: SectionReader;
  /** Of the model, then of each segment. */
  readonly #sections: readonly SegmentSections[];
  #model: Promise<IndexModel> | undefined;

  private constructor(
    path: string,
    file: FileHandle,
    { header, sections, state }: Awaited<ReturnType<typeof readIndexHeader>>,
  ) {
    this.path = path;
    this.header = header;
    this.state = state;
    this.#file = file;
    this.#reader = new SectionReader(file, path);
    this.#sections = sections;
    const segments = sections.slice(1).map((own) => ({ rows: rowsOf(own), deleted: own.get("DEAD")?.marked ?? 0 }));
    this.rowsBefore = segments.map((_, i) => segments.slice(0, i).reduce((sum, { rows }) => sum + rows, 0));
    this.facts = { ...header, n: header.rows - header.deleted, segments };
  }

  /** @throws {VectorIndexError} `no-file`, `unreadable`, `not-an-index`, `unknown-version`, `truncated`, `bad-index` */
  static async open(path: string): Promise<IndexFile> {
    const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
      const isMissing = cause.code === "ENOENT";
      const problem = isMissing ? "there is no such file" : `it cannot be opened (${cause.message})`;
      const code = isMissing ? "no-file" : "unreadable";
      throw new VectorIndexError(code, problem, "name the file of an index", { file: path }, { cause });
    });
    try {
      return new IndexFile(path, file, await readIndexHeader(file, path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** All that was trained. @throws {VectorIndexError} `bad-checksum`, `bad-index` */
  model(): Promise<IndexModel> {
    this.#model ??= this.#readModel();
    return this.#model;
  }

  /**
   * The rows of some lists as a search takes them: of all segments as one, and without those that are deleted. The other
   * lists are empty.
   *
   * @throws {VectorIndexError} `bad-checksum`, `bad-index`, `too-large`
   */
  async segment(lists: ListRange = { from: 0, to: this.facts.m }): Promise<SearchSegment> {
    const parts: SegmentRows[] = [];
    for (let segment = 1; segment < this.#sections.length; segment++) parts.push(await this.rows(segment, lists));
    const { origins, ...rows } = foldSegments(parts, this.rowsBefore, lists, this.facts.codeBytes);
    const model = await this.model();
    const { rerank: kind, d } = this.facts;
    if (kind === undefined) return { model, ...rows };
    const sections = this.#sections.slice(1).map((_, i) => this.#section(i + 1, "RERK"));
    const places = { kind, d, sections, rowsBefore: this.rowsBefore, origins, file: this.path };
    return { model, ...rows, rerank: rerankTier(this.#reader, places) };
  }

  /** How many rows of each list can be found, shape (m). @throws {VectorIndexError} `bad-checksum`, `bad-index` */
  async listSizes(): Promise<Uint32Array> {
    const sizes = new Uint32Array(this.facts.m);
    for (let segment = 1; segment < this.#sections.length; segment++) {
      const { listOffsets, dead } = await this.lists(segment);
      for (let list = 0; list < sizes.length; list++) {
        const end = listOffsets[list + 1] ?? 0;
        let found = 0;
        for (let row = listOffsets[list] ?? 0; row < end; row++) if (!isMarked(dead, row)) found++;
        sizes[list] = (sizes[list] ?? 0) + found;
      }
    }
    return sizes;
  }

  /** How far decoded vectors are from those that were given; undefined while there are none. */
  async codingError(): Promise<CodingError | undefined> {
    const { squared, spread, worst, rows } = await this.allErrors();
    if (rows === 0) return undefined;
    return { rms: Math.sqrt(squared / rows), worst: Math.sqrt(worst), relative: spread > 0 ? squared / spread : 0 };
  }

  /** @internal Errors of all segments together. */
  async allErrors(): Promise<ErrorSums> {
    let [squared, spread, worst, rows] = [0, 0, 0, 0];
    for (let segment = 1; segment < this.#sections.length; segment++) {
      const sums = await this.#errorSums(segment);
      squared += sums.squared;
      spread += sums.spread;
      worst = Math.max(worst, sums.worst);
      rows += sums.rows;
    }
    return { squared, spread, worst, rows };
  }

  async #errorSums(segment: number): Promise<ErrorSums> {
    const bytes = await this.#reader.all(this.#section(segment, "ERRS"));
    const [squared = 0, spread = 0, worst = 0, rows = 0] = new Float64Array(bytes.buffer);
    const isRight = [squared, spread, worst, rows].every((sum) => sum >= 0 && Number.isFinite(sum));
    if (!isRight) throw this.#bad("sums of squared errors are no such sums");
    return { squared, spread, worst, rows };
  }

  /** Ids of one segment's rows. @param segment  1 … */
  async ids(segment: number): Promise<Uint32Array> {
    return new Uint32Array((await this.#reader.all(this.#section(segment, "IDS "))).buffer);
  }

  /** @internal Rows of one segment in these lists. @param segment  1 … */
  async rows(segment: number, { from, to }: ListRange): Promise<SegmentRows> {
    const lists = await this.lists(segment);
    const [first = 0, end = 0] = [lists.listOffsets[from], lists.listOffsets[to]];
    const read = async (tag: SectionTag, rowBytes: number) =>
      await this.#reader.range(this.#section(segment, tag), first * rowBytes, end * rowBytes);
    const rows = {
      ...{ ...lists, first, codes: await read("CODE", this.facts.codeBytes) },
      ids: new Uint32Array((await read("IDS ", ID_BYTES)).buffer),
      scales: new Uint16Array((await read("SCAL", HALF_BYTES)).buffer),
      terms: new Uint16Array((await read("TERM", HALF_BYTES)).buffer),
    };
    const problem = rowsProblem(rows, this.facts.nextId);
    if (problem !== undefined) throw this.#bad(`segment ${segment}: ${problem}`);
    return rows;
  }

  /** @internal Lists of one segment. @param segment  1 … */
  async lists(segment: number): Promise<SegmentLists> {
    const listOffsets = new Uint32Array((await this.#reader.all(this.#section(segment, "OFFS"))).buffer);
    const deadSection = this.#sections[segment]?.get("DEAD");
    const dead = deadSection && (await this.#reader.all(deadSection));
    const problem = listsProblem({ listOffsets, dead }, this.#rowCount(segment), deadSection?.marked ?? 0);
    if (problem !== undefined) throw this.#bad(`segment ${segment}: ${problem}`);
    return { listOffsets, dead };
  }

  async #readModel(): Promise<IndexModel> {
    const read = async (tag: SectionTag) => await this.#reader.all(this.#section(0, tag));
    const [MODL, MEAN, ROTM] = [await read("MODL"), await read("MEAN"), await read("ROTM")];
    const [ANCH, SIGM] = [await read("ANCH"), await read("SIGM")];
    const model = decodeModel(this.facts, { MODL, MEAN, ROTM, ANCH, SIGM });
    if (typeof model === "string") throw this.#bad(model);
    const codeBytes = codeBytesOf(model);
    if (codeBytes !== this.facts.codeBytes) {
      throw this.#bad(`its bit groups are codes of ${codeBytes} bytes, and its header says ${this.facts.codeBytes}`);
    }
    return model;
  }

  #rowCount(segment: number): number {
    return this.facts.segments[segment - 1]?.rows ?? 0;
  }

  #section(segment: number, tag: SectionTag) {
    const section = this.#sections[segment]?.get(tag);
    if (section === undefined) throw this.#bad(`segment ${segment} has no section ${tag}`);
    return section;
  }

  #bad(problem: string): VectorIndexError {
    const remedy = "take a copy that is whole, or build it again";
    return new VectorIndexError("bad-index", problem, remedy, { file: this.path });
  }
}
