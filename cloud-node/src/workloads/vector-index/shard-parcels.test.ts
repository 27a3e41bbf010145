import { expect, test } from "vitest";
import { ChannelInbox } from "../../jobs/channel-inbox.ts";
import { MAX_MESSAGE_BYTES } from "../../jobs/workload.ts";
import { fromJson, jsonPart, ShardParcels } from "./shard-parcels.ts";

/** Parcels of some places of one job, over the inboxes of its channel. */
function places(count: number) {
  const numbers = Array.from({ length: count }, (_, place) => place);
  const inboxes = numbers.map((place) => new ChannelInbox(numbers.filter((other) => other !== place)));
  const parcels = inboxes.map((inbox, index) => {
    const send = async (to: number, payload: Uint8Array) => {
      expect(payload.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
      await inboxes[to]?.take({
        kind: "exchange",
        job: "00".repeat(8),
        seq: 0,
        from: index,
        to,
        isLast: true,
        payload,
        wireBytes: payload.length,
      });
      return payload.length;
    };
    return new ShardParcels({ index, count, send, receive: () => inbox.receive() }, new AbortController().signal);
  });
  return { parcels: parcels as [ShardParcels, ShardParcels, ShardParcels], inboxes };
}

test("parcels come whole and in order from each place, whichever is asked first", async () => {
  const { parcels } = places(3);
  const large = Uint8Array.from({ length: 2 * MAX_MESSAGE_BYTES + 3 }, (_, i) => i % 251);
  await parcels[2].send(0, jsonPart({ x: 1 }), new Uint8Array(0), large);
  await parcels[1].send(0);
  await parcels[1].send(0, Uint8Array.of(7));
  expect(await parcels[0].receive(1)).toEqual([]);
  const [head, empty, body] = await parcels[0].receive(2);
  expect(fromJson(head)).toEqual({ x: 1 });
  expect(empty).toHaveLength(0);
  expect(Buffer.from(large).equals(body ?? Buffer.alloc(0))).toBe(true);
  expect(await parcels[0].receive(1)).toEqual([Uint8Array.of(7)]);
});

test("a place that leaves is missed once what it sent was received, and the others go on", async () => {
  const { parcels, inboxes } = places(3);
  await parcels[1].send(0, Uint8Array.of(1));
  inboxes[0]?.left(1);
  await parcels[2].send(0, Uint8Array.of(2));
  expect(await parcels[0].receive(2)).toEqual([Uint8Array.of(2)]);
  expect(await parcels[0].receive(1)).toEqual([Uint8Array.of(1)]);
  await expect(parcels[0].receive(1)).rejects.toMatchObject({ code: "peer-left" });
});
