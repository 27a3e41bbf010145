import { InvariantError } from "../../invariant-error.ts";
import { mergeNeighbours } from "./merge-neighbours.ts";
import { checkQueries } from "./query-check.ts";
import { noNeighbours } from "./query-memory.ts";
import { Reranker } from "./reranker.ts";
import { Searcher } from "./search.ts";
import type { RankedNeighbours, SearchSegment } from "./search-segment.ts";
import { bytesPart, type ShardParcels } from "./shard-parcels.ts";

/** What is asked of every query. */
export interface ShardQuery {
  readonly k: number;
  readonly probes: number;
  /** Candidates that are ranked again; 0: none. */
  readonly rerank: number;
}

/** One place's lists: candidates first, and those of them that are among the best of all places ranked again. */
export class ShardSearcher {
  readonly #segment: SearchSegment;
  readonly #query: ShardQuery;
  readonly #searcher: Searcher;
  readonly #reranker: Reranker;

  /** @throws {VectorIndexError} `bad-option` when candidates shall be ranked again and there is nothing to do it by */
  constructor(segment: SearchSegment, query: ShardQuery) {
    this.#segment = segment;
    this.#query = query;
    this.#searcher = new Searcher(segment);
    this.#reranker = new Reranker(segment);
    this.#reranker.candidates(query.k, query);
  }

  /** How many candidates of each query there are. */
  get wide(): number {
    return this.#query.rerank || this.#query.k;
  }

  /** @param queries  shape (q, d) @throws {VectorIndexError} as `checkQueries` */
  candidates(queries: Float32Array): RankedNeighbours {
    const { k, probes, rerank } = this.#query;
    checkQueries(queries, k, { probes, rerank }, this.#segment.model);
    return this.#searcher.search(queries, this.wide, { probes });
  }

  /** Rank those candidates of all places again that this one named. @param own  what `candidates` gave for the queries */
  rank(queries: Float32Array, own: RankedNeighbours, all: RankedNeighbours): RankedNeighbours {
    const { k, probes } = this.#query;
    const count = all.ids.length / this.wide;
    const mine = noNeighbours(count, this.wide);
    for (let from = 0; from < all.ids.length; from += this.wide) {
      const named = new Set(own.ids.subarray(from, from + this.wide));
      let at = from;
      for (let i = from; i < from + this.wide && all.distances[i] !== Infinity; i++) {
        const id = all.ids[i] ?? 0;
        if (!named.has(id)) continue;
        mine.ids[at] = id;
        mine.distances[at++] = all.distances[i] ?? Infinity;
      }
    }
    return this.#reranker.rank(checkQueries(queries, k, { probes }, this.#segment.model), mine, k);
  }
}

/** Place 0 of a search: hands queries to the others, and merges what all of them find. */
export class QueryRouter {
  readonly #own: ShardSearcher;
  readonly #query: ShardQuery;
  readonly #parcels: ShardParcels | undefined;
  readonly #others: readonly number[];

  constructor(own: ShardSearcher, query: ShardQuery, parcels: ShardParcels | undefined, count: number) {
    this.#own = own;
    this.#query = query;
    this.#parcels = parcels;
    this.#others = Array.from({ length: count - 1 }, (_, i) => i + 1);
  }

  async search(queries: Float32Array): Promise<RankedNeighbours> {
    const { k, rerank } = this.#query;
    await this.#tell(bytesPart(queries));
    const own = this.#own.candidates(queries);
    const all = mergeNeighbours([own, ...(await this.#heard())], this.#own.wide);
    if (rerank === 0) return all;
    await this.#tell(...partsOf(all));
    return mergeNeighbours([this.#own.rank(queries, own, all), ...(await this.#heard())], k);
  }

  /** Tell the others that there are no more queries. */
  async close(): Promise<void> {
    await this.#tell();
  }

  async #tell(...parts: readonly Uint8Array[]): Promise<void> {
    for (const place of this.#others) await this.#parcels?.send(place, ...parts);
  }

  async #heard(): Promise<RankedNeighbours[]> {
    const found: RankedNeighbours[] = [];
    for (const place of this.#others) found.push(neighboursOf((await this.#parcels?.receive(place)) ?? []));
    return found;
  }
}

/** Any other place of a search: answer until there are no more queries. */
export async function answerRouter(
  parcels: ShardParcels,
  searcher: ShardSearcher,
  { rerank }: ShardQuery,
): Promise<void> {
  for (;;) {
    const [bytes] = await parcels.receive(0);
    if (bytes === undefined) return;
    const queries = new Float32Array(bytes.buffer);
    const own = searcher.candidates(queries);
    await parcels.send(0, ...partsOf(own));
    if (rerank === 0) continue;
    const ranked = searcher.rank(queries, own, neighboursOf(await parcels.receive(0)));
    await parcels.send(0, ...partsOf(ranked));
  }
}

function partsOf({ ids, distances, ranks }: RankedNeighbours): Uint8Array[] {
  return [ids, distances, ranks].map(bytesPart);
}

function neighboursOf([ids, distances, ranks]: readonly Uint8Array<ArrayBuffer>[]): RankedNeighbours {
  if (ids === undefined || distances === undefined || ranks === undefined) {
    throw new InvariantError("an answer of a shard has no neighbours");
  }
  return {
    ids: new Uint32Array(ids.buffer),
    distances: new Float32Array(distances.buffer),
    ranks: new Float32Array(ranks.buffer),
  };
}
