import { crc32 } from "node:zlib";
import type { SectionPlace } from "./index-facts.ts";
import { rerankBytes } from "./rerank-row.ts";
import type { RerankKind, RerankTier } from "./search-segment.ts";
import type { SectionReader } from "./section-reader.ts";
import { CRC_BYTES } from "./section-table.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** Where the finer rows of an index are. */
export interface RerankPlaces {
  readonly kind: RerankKind;
  readonly d: number;
  /** `RERK` of each segment. */
  readonly sections: readonly SectionPlace[];
  /** Rows of the segments before each one. */
  readonly rowsBefore: readonly number[];
  /** Number of the row at each position, counted through all segments. */
  readonly origins: Uint32Array;
  readonly file: string;
}

/** Rows that are read together: a call of the system costs more than a few kilobytes of its file. */
const CHUNK_ROWS = 32;
/** Of rows that were read so many bytes stay in memory, the ones read last. */
const MOST_KEPT_BYTES = 1 << 26;

/** The finer rows of an open index, read from its file as they are asked for: each has a checksum of its own. */
export function rerankTier(reader: SectionReader, places: RerankPlaces): RerankTier {
  const { kind, d, sections, rowsBefore, origins, file } = places;
  const rowBytes = rerankBytes(kind, d);
  const stride = rowBytes + CRC_BYTES;
  const mostChunks = Math.ceil(MOST_KEPT_BYTES / (CHUNK_ROWS * stride));
  /** By the number, in all segments, of their first row. */
  const chunks = new Map<number, Buffer>();
  const chunkOf = (segment: number, first: number): Buffer => {
    const key = (rowsBefore[segment] ?? 0) + first;
    const kept = chunks.get(key);
    if (kept !== undefined) return kept;
    const section = sections[segment] as SectionPlace;
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_ROWS * stride, section.bytes - first * stride));
    reader.fillSync(section, first * stride, chunk);
    const [oldest] = chunks.keys();
    if (chunks.size >= mostChunks && oldest !== undefined) chunks.delete(oldest);
    chunks.set(key, chunk);
    return chunk;
  };
  return {
    kind,
    read: (position) => {
      const origin = origins[position] ?? 0;
      const segment = rowsBefore.findLastIndex((before) => before <= origin);
      const number = origin - (rowsBefore[segment] ?? 0);
      const first = number - (number % CHUNK_ROWS);
      const at = (number - first) * stride;
      const chunk = chunkOf(segment, first);
      const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset + at, rowBytes);
      if (crc32(bytes) === chunk.readUInt32LE(at + rowBytes)) return bytes;
      const place = { file, section: "RERK", row: number };
      throw new VectorIndexError("bad-checksum", "its checksum is wrong", "take a copy that is whole", place);
    },
  };
}

/** Put the checksum behind a row. @param row  `rerankBytes` and CRC_BYTES more */
export function sealRow(row: Uint8Array): void {
  const end = row.length - CRC_BYTES;
  new DataView(row.buffer, row.byteOffset, row.length).setUint32(end, crc32(row.subarray(0, end)), true);
}
