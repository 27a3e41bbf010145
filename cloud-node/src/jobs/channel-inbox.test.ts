import { expect, test } from "vitest";
import { ChannelInbox } from "./channel-inbox.ts";
import type { HeardFrame } from "./channel-link.ts";
import { MAX_MESSAGE_BYTES } from "./workload.ts";

const LARGEST: HeardFrame = {
  ...{ kind: "exchange", job: "ab".repeat(8), from: 1, to: 0, seq: 0, isLast: true },
  payload: new Uint8Array(MAX_MESSAGE_BYTES),
  wireBytes: MAX_MESSAGE_BYTES,
};

/** Everything that was promised has happened. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("whoever sends is held up once more than eight of the largest messages wait, until one is received", async () => {
  const inbox = new ChannelInbox([1]);
  for (let i = 0; i < 8; i += 1) await inbox.take(LARGEST);
  let isTaken = false;
  const ninth = inbox.take(LARGEST).then(() => {
    isTaken = true;
  });
  await settled();
  expect(isTaken).toBe(false);
  expect(await inbox.receive()).toMatchObject({ kind: "message", from: 1 });
  await ninth;
});

test("a message that is larger than the largest is refused", async () => {
  const inbox = new ChannelInbox([1]);
  await inbox.take({ ...LARGEST, isLast: false });
  await expect(inbox.take({ ...LARGEST, payload: new Uint8Array(1) })).rejects.toMatchObject({ code: "too-large" });
});
