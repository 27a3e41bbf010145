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

/** The finer rows of an open index, read from its file one by one: each has a checksum of its own. */
export function rerankTier(reader: SectionReader, places: RerankPlaces): RerankTier {
  const { kind, d, sections, rowsBefore, origins, file } = places;
  const rowBytes = rerankBytes(kind, d);
  const row = Buffer.alloc(rowBytes + CRC_BYTES);
  return {
    kind,
    read: (position) => {
      const origin = origins[position] ?? 0;
      const segment = rowsBefore.findLastIndex((before) => before <= origin);
      const number = origin - (rowsBefore[segment] ?? 0);
      const section = sections[segment] as SectionPlace;
      reader.rowSync(section, number * row.length, row);
      if (crc32(row.subarray(0, rowBytes)) !== row.readUInt32LE(rowBytes)) {
        const place = { file, section: "RERK", row: number };
        throw new VectorIndexError("bad-checksum", "its checksum is wrong", "take a copy that is whole", place);
      }
      return Uint8Array.from(row.subarray(0, rowBytes));
    },
  };
}

/** Put the checksum behind a row. @param row  `rerankBytes` and CRC_BYTES more */
export function sealRow(row: Uint8Array): void {
  const end = row.length - CRC_BYTES;
  new DataView(row.buffer, row.byteOffset, row.length).setUint32(end, crc32(row.subarray(0, end)), true);
}
