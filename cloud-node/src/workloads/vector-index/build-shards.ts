import { type EncodedWindow, type EncodePlan, encodeWindow, type WindowRange, windowsOf } from "./encode-window.ts";
import { type ListOrder, orderLists } from "./list-order.ts";
import type { Metric } from "./model.ts";
import { decodeModel, encodeModel } from "./model-sections.ts";
import { ResidualCoder } from "./residual-coder.ts";
import type { RerankKind } from "./search-segment.ts";
import { MODEL_TAGS } from "./section-table.ts";
import { bytesPart, fromJson, jsonPart, type ShardParcels } from "./shard-parcels.ts";
import { shardRanges } from "./shard-ranges.ts";
import { unitSource } from "./unit-source.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorSource } from "./vector-source.ts";

/** Positions that a place encodes at a time. */
export interface ShardWindow extends WindowRange {
  readonly place: number;
}

/** What place 0 tells another one; model and lists follow as bytes. */
interface ShardOrder {
  readonly m: number;
  readonly metric: Metric;
  readonly rerank?: RerankKind;
  readonly windows: readonly WindowRange[];
}

/** Place 0 of a build: shares the lists out among all places, and collects what they encode. */
export class ShardEncoder {
  readonly #parcels: ShardParcels;
  readonly #count: number;

  constructor(parcels: ShardParcels, count: number) {
    this.#parcels = parcels;
    this.#count = count;
  }

  /** Tell every place what is its own. @returns the windows of all of them, in the order of their positions */
  async share(plan: EncodePlan, { offsets }: ListOrder, windowBytes?: number): Promise<ShardWindow[]> {
    const { model, lists, rerank } = plan;
    const sizes = offsets.slice(1).map((end, list) => end - (offsets[list] ?? 0));
    const sections = encodeModel(model);
    const all: ShardWindow[] = [];
    for (const [place, { from, to }] of shardRanges(sizes, this.#count).entries()) {
      const windows = windowsOf({ from: offsets[from] ?? 0, to: offsets[to] ?? 0 }, plan, windowBytes);
      all.push(...windows.map((window) => ({ ...window, place })));
      if (place === 0) continue;
      const order: ShardOrder = { m: model.m, metric: model.metric, ...(rerank && { rerank }), windows };
      await this.#parcels.send(place, jsonPart(order), bytesPart(lists), ...MODEL_TAGS.map((tag) => sections[tag]));
    }
    return all;
  }

  /** What another place has encoded. */
  async fetch({ place }: ShardWindow): Promise<EncodedWindow> {
    await this.#parcels.send(place);
    const [codes, scales, terms, finer, errors, spreads] = (await this.#parcels.receive(place)) as Parts;
    return {
      ...{ codes, finer, scales: new Uint16Array(scales.buffer), terms: new Uint16Array(terms.buffer) },
      ...{ errors: new Float32Array(errors.buffer), spreads: new Float32Array(spreads.buffer) },
    };
  }
}

type Part = Uint8Array<ArrayBuffer>;
type Parts = [Part, Part, Part, Part, Part, Part];

/** Any other place of a build: encode what is its own from its own copy of the vectors, and hand it over when asked. */
export async function encodeForRouter(parcels: ShardParcels, given: VectorSource, signal: AbortSignal): Promise<void> {
  const [head, listBytes, ...sections] = await parcels.receive(0);
  const { m, metric, rerank, windows } = fromJson<ShardOrder>(head);
  const [MODL, MEAN, ROTM, ANCH, SIGM] = sections as [Part, Part, Part, Part, Part];
  const model = decodeModel({ d: given.d, m, metric }, { MODL, MEAN, ROTM, ANCH, SIGM });
  if (typeof model === "string") throw new VectorIndexError("bad-index", model, "build it again");
  const lists = new Uint32Array((listBytes as Part).buffer);
  const source = metric === "cosine" ? unitSource(given) : given;
  const { positions } = orderLists(lists, m);
  const plan = { source, lists, positions, model, coder: new ResidualCoder(model), rerank, signal };
  for (const window of windows) {
    const { codes, scales, terms, finer, errors, spreads } = await encodeWindow(plan, window);
    // Not before it is asked for: what waits at place 0 would be all shards at once.
    await parcels.receive(0);
    await parcels.send(0, codes, bytesPart(scales), bytesPart(terms), finer, bytesPart(errors), bytesPart(spreads));
  }
}
