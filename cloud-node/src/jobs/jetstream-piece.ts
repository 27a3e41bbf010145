import type { ObjectStore } from "@nats-io/obj";
import type { NatsLink } from "./nats-link.ts";

/** A message of a stream. */
interface Chunk {
  readonly seq: number;
  readonly data: Uint8Array;
}

type Query = { readonly last_by_subj: string } | { readonly seq: number; readonly next_by_subj: string };

/**
 * The bytes of an object, message by message. The store's own `get` has a consumer made for it, on one server: for about
 * a minute after a server is gone the others may still choose that one, and then nobody answers.
 *
 * What is given is not compared with the store's hash: whoever reads a blob compares it with the blob's.
 *
 * @param bucket  of the store
 * @returns null: they are not there
 */
export async function readPiece(
  { jsm }: NatsLink,
  bucket: string,
  store: ObjectStore,
  name: string,
): Promise<Uint8Array | null> {
  const facts = await store.info(name);
  if (facts === null || facts.deleted) return null;
  const { chunks: count, nuid } = facts;
  const subject = `$O.${bucket}.C.${nuid}`;
  const stream = `OBJ_${bucket}`;
  // Any server may answer; one that does not have it yet does not know that there is more than it has.
  const ask = async (query: Query): Promise<Chunk | null> =>
    (await jsm.direct.getMessage(stream, query)) ?? (await jsm.streams.getMessage(stream, query));
  const last = count === 0 ? null : await ask({ last_by_subj: subject });
  if (last === null) return count === 0 ? new Uint8Array(0) : null;
  const first = Math.max(1, last.seq - count + 1);
  const before = await Promise.all(
    Array.from({ length: count - 1 }, (_, i) => ask({ seq: first + i, next_by_subj: subject })),
  );
  const inRow = before.filter((chunk, i) => chunk !== null && chunk.seq === first + i) as Chunk[];
  if (inRow.length === count - 1) return joined([...inRow, last]);
  // Others wrote between them: from the first message on, then.
  const found: Chunk[] = [];
  for (let seq = 1; found.length < count; ) {
    const chunk = await ask({ seq, next_by_subj: subject });
    if (chunk === null) return null;
    found.push(chunk);
    seq = chunk.seq + 1;
  }
  return joined(found);
}

function joined(chunks: readonly Chunk[]): Uint8Array {
  return Buffer.concat(chunks.map(({ data }) => data));
}
