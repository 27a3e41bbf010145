/** Indexes that nothing was trained for: their sections are full, and known from their seeds. */
import { seededRandom } from "../../jobs/seeded-random.ts";
import { type HeaderFacts, IndexWriter } from "./index-writer.ts";
import { type BitGroup, type IndexModel, paddedDimensions } from "./model.ts";
import { encodeModel } from "./model-sections.ts";
import { rerankBytes } from "./rerank-row.ts";
import { sealRow } from "./rerank-rows.ts";
import type { RerankKind } from "./search-segment.ts";
import { CRC_BYTES, MODEL_TAGS } from "./section-table.ts";
import { mark } from "./segment-rows.ts";

/** A row as it was written. */
export interface GeneratedRow {
  readonly id: number;
  readonly list: number;
  readonly segment: number;
  readonly isDead: boolean;
  readonly code: Uint8Array;
  readonly scale: number;
  readonly term: number;
  readonly rerank: Uint8Array;
}

export interface GeneratedIndex {
  readonly model: IndexModel;
  /** In the order of the file. */
  readonly rows: readonly GeneratedRow[];
  readonly facts: HeaderFacts;
}

export interface GeneratedShape {
  readonly d: number;
  readonly m: number;
  /** Rows of each segment. */
  readonly segments: readonly number[];
  /** Every row with such an id in each segment is deleted; 0: none. */
  readonly deadEvery: number;
  readonly rerank?: RerankKind;
  readonly seed: string;
}

/** Two thirds of the dimensions at 4 bits, the others at 0. */
const BITS = 4;

/** @returns the same for the same shape */
export function generatedIndex({ d, m, segments, deadEvery, rerank, seed }: GeneratedShape): GeneratedIndex {
  const random = seededRandom(seed);
  const fraction = () => random() / 2 ** 32;
  const D = paddedDimensions(d);
  const coded = Math.max(16, Math.floor((D * 2) / 3 / 16) * 16);
  const groups: BitGroup[] = [{ bits: BITS, from: 0, to: coded }];
  if (coded < D) groups.push({ bits: 0, from: coded, to: D });
  // Each rotated dimension is another one turned round: exactly orthogonal, and nothing is lost in half precision.
  const rotation = new Float32Array(D * D);
  for (let j = 0; j < D; j++) rotation[j * D + ((7 * j + 3) % D)] = random() % 2 === 0 ? 1 : -1;
  const model: IndexModel = {
    ...{ d, paddedD: D, m, metric: "l2", seed: random(), groups, anchorExponent: -3 },
    mean: Float32Array.from({ length: d }, () => fraction() - 0.5),
    rotation,
    anchors: Float32Array.from({ length: m * D }, () => Math.fround(Math.round(1000 * (fraction() - 0.5)) / 8)),
    sigma: Float32Array.from({ length: D }, (_, j) => 2 ** -(j % 5)),
  };
  const codeBytes = (coded * BITS) / 8;
  const bytes = (length: number) => Uint8Array.from({ length }, () => random() & 0xff);
  const rows: GeneratedRow[] = [];
  let nextId = 0;
  for (const [segment, count] of segments.entries()) {
    const lists = Array.from({ length: count }, () => random() % m);
    const own = lists.map((list, row): GeneratedRow => {
      const id = nextId + row;
      return {
        ...{ id, list, segment, isDead: deadEvery > 0 && id % deadEvery === 0, code: bytes(codeBytes) },
        ...{ scale: random() & 0x7bff, term: random() & 0x7bff },
        rerank: rerank === undefined ? new Uint8Array(0) : bytes(rerankBytes(rerank, d)),
      };
    });
    rows.push(...own.sort((a, b) => a.list - b.list || a.id - b.id));
    nextId += count;
  }
  const deleted = rows.filter(({ isDead }) => isDead).length;
  return { model, rows, facts: { rows: rows.length, deleted, nextId, d, m, metric: "l2", codeBytes, rerank } };
}

/** Write it with one section after the other. */
export async function writeGenerated(path: string, { model, rows, facts }: GeneratedIndex): Promise<void> {
  const writer = await IndexWriter.create(path);
  const sections = encodeModel(model);
  for (const tag of MODEL_TAGS) await writer.put(tag, 0, sections[tag]);
  for (let segment = 0; segment <= (rows.at(-1)?.segment ?? 0); segment++) {
    const own = rows.filter((row) => row.segment === segment);
    const offsets = Array.from({ length: model.m + 1 }, (_, list) => own.filter((row) => row.list < list).length);
    await writer.put("OFFS", segment + 1, Uint32Array.from(offsets));
    await writer.put(
      "IDS ",
      segment + 1,
      Uint32Array.from(own, ({ id }) => id),
    );
    await writer.put("CODE", segment + 1, Buffer.concat(own.map(({ code }) => code)));
    await writer.put(
      "SCAL",
      segment + 1,
      Uint16Array.from(own, ({ scale }) => scale),
    );
    await writer.put(
      "TERM",
      segment + 1,
      Uint16Array.from(own, ({ term }) => term),
    );
    await writer.put("ERRS", segment + 1, Float64Array.of(own.length / 4, own.length * 4, 0.5, own.length));
    if (facts.rerank !== undefined) {
      await writer.put("RERK", segment + 1, Buffer.concat(own.map(({ rerank }) => sealedRow(rerank))));
    }
    const dead = new Uint8Array(Math.ceil(own.length / 8));
    for (const [row, { isDead }] of own.entries()) if (isDead) mark(dead, row);
    const marked = own.filter(({ isDead }) => isDead).length;
    if (marked > 0) await writer.put("DEAD", segment + 1, dead, marked);
  }
  await writer.finish(facts);
}

function sealedRow(bytes: Uint8Array): Buffer {
  const row = Buffer.alloc(bytes.length + CRC_BYTES);
  row.set(bytes);
  sealRow(row);
  return row;
}
