import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ChannelGuest } from "./channel-guest.ts";
import type { ChannelHub } from "./channel-hub.ts";
import type { ChannelReach } from "./channel-reach.ts";
import { ChannelRig } from "./channel-rig.suite.ts";
import { MAX_MESSAGE_BYTES } from "./workload.ts";

/** What a channel does, however its workers reach each other. */
export function channelSuite(name: string, reach: () => ChannelReach): void {
  let rig: ChannelRig;
  beforeEach(async () => {
    rig = await ChannelRig.open(reach());
  });
  afterEach(() => rig.close());

  describe(name, () => {
    describe("messages", () => {
      test("come whole and in order, through place 0 where it is not meant itself, whatever their size", async () => {
        const [one, two] = await rig.all();
        const sizes = [0, 1, 61_439, 61_440, 61_441, 500_000];
        const send = async () => {
          for (const [i, size] of sizes.entries()) {
            await one.send(2, Buffer.alloc(size, i));
            await one.send(0, Buffer.alloc(size, i));
            await rig.hub.send(1, Buffer.alloc(size, i));
          }
        };
        const receive = async (end: Pick<ChannelHub, "receive">, from: number) => {
          for (const [i, size] of sizes.entries()) {
            const heard = await end.receive();
            expect(heard).toMatchObject({ kind: "message", from });
            if (heard.kind === "message") expect(Buffer.alloc(size, i).equals(heard.message)).toBe(true);
          }
        };
        await Promise.all([send(), receive(two, 1), receive(rig.hub, 1), receive(one, 0)]);
      });

      test("that are sent at once do not mix", async () => {
        const [one] = await rig.all();
        const messages = Array.from({ length: 5 }, (_, i) => Buffer.alloc(300_000 + i, i));
        await Promise.all(messages.map((message) => one.send(0, message)));
        for (const message of messages) {
          const heard = await rig.hub.receive();
          expect(heard.kind === "message" && message.equals(heard.message)).toBe(true);
        }
      });

      test("wait where nobody receives: the sender is held up, and nothing is lost", async () => {
        const [one] = await rig.all();
        const count = 12;
        let sent = 0;
        const sending = (async () => {
          for (let i = 0; i < count; i++, sent++) await one.send(0, Buffer.alloc(MAX_MESSAGE_BYTES, i));
        })();
        for (let before = -1; before < sent; ) {
          before = sent;
          await new Promise<void>((resolve) => setTimeout(resolve, 1_000));
        }
        expect(sent).toBeLessThan(count);
        for (let i = 0; i < count; i++) {
          const heard = await rig.hub.receive();
          expect(heard.kind === "message" && heard.message[MAX_MESSAGE_BYTES - 1] === i).toBe(true);
        }
        await sending;
      });
    });

    describe("a worker that leaves", () => {
      test("is announced to everybody, behind what it had said, and is not spoken to any more", async () => {
        const [one, two] = await rig.all();
        await one.send(0, Buffer.from("bye"));
        await one.send(2, Buffer.from("bye"));
        await one.close();
        for (const end of [rig.hub, two]) {
          expect(await end.receive()).toMatchObject({ kind: "message", from: 1 });
          expect(await end.receive()).toEqual({ kind: "left", from: 1 });
        }
        await expect(rig.hub.send(1, Buffer.from("x"))).rejects.toMatchObject({ code: "peer-left" });
        await expect(two.send(1, Buffer.from("x"))).rejects.toMatchObject({ code: "peer-left" });
        await two.send(0, Buffer.from("still here"));
        expect(await rig.hub.receive()).toMatchObject({ kind: "message", from: 2 });
      });

      test("takes everybody with it where it is place 0; then nothing more can come", async () => {
        const [one] = await rig.all();
        await rig.hub.close();
        expect(await one.receive()).toEqual({ kind: "left", from: 0 });
        expect(await one.receive()).toEqual({ kind: "left", from: 2 });
        await expect(one.receive()).rejects.toMatchObject({ code: "peer-left" });
        await expect(one.send(0, Buffer.from("x"))).rejects.toMatchObject({ code: "peer-left" });
      });

      test("before all are there ends it for all", async () => {
        const one = await rig.join(1);
        await one.close();
        await expect(rig.hub.allThere()).rejects.toMatchObject({ code: "peer-left" });
        await expect(one.allThere()).rejects.toMatchObject({ code: "peer-left" });
      });
    });

    describe("where places are taken again", () => {
      test("whoever takes a place that was left is announced, and spoken to like the one before", async () => {
        const [one, two] = await rig.refilled();
        await one.close();
        expect(await rig.hub.receive()).toEqual({ kind: "left", from: 1 });
        const again = await rig.join(1);
        await again.allThere();
        expect(await rig.hub.receive()).toEqual({ kind: "joined", from: 1 });
        await rig.hub.send(1, Buffer.from("welcome"));
        expect(await again.receive()).toMatchObject({ kind: "message", from: 0 });
        await again.send(2, Buffer.from("hello"));
        const heard = [await two.receive(), await two.receive(), await two.receive()];
        expect(heard.map(({ kind }) => kind)).toEqual(["left", "joined", "message"]);
      });

      test("whoever comes hears who is gone, and place 0 waits for somebody when nobody is there", async () => {
        const [one, two] = await rig.refilled();
        await Promise.all([one.close(), two.close()]);
        const gone = [await rig.hub.receive(), await rig.hub.receive()];
        expect(gone.map(({ kind, from }) => `${kind} ${from}`).sort()).toEqual(["left 1", "left 2"]);
        const next = rig.hub.receive();
        const again = await rig.join(2);
        await again.allThere();
        expect(await again.receive()).toEqual({ kind: "left", from: 1 });
        expect(await next).toEqual({ kind: "joined", from: 2 });
      });

      test("whoever takes a place stands in for one that is silent, of whom nothing more is heard", async () => {
        const [one] = await rig.refilled();
        const again = await rig.join(1);
        await again.allThere();
        expect(await rig.hub.receive()).toEqual({ kind: "left", from: 1 });
        expect(await rig.hub.receive()).toEqual({ kind: "joined", from: 1 });
        expect(await one.receive()).toEqual({ kind: "left", from: 0 });
        await again.send(0, Buffer.from("it is me"));
        expect(await rig.hub.receive()).toMatchObject({ kind: "message", from: 1 });
        await rig.hub.send(1, Buffer.from("yes"));
        expect(await again.receive()).toMatchObject({ kind: "message", from: 0 });
      });

      test("place 0 is nobody else's", async () => {
        await rig.refilled();
        const guest = await rig.join(1, { index: 0 }).catch((error: { code: string }) => error);
        if (guest instanceof ChannelGuest) await expect(guest.allThere()).rejects.toMatchObject({ code: "peer-left" });
        else expect(guest.code).toBe("peer-left");
      });
    });

    describe("somebody who does not belong there", () => {
      test.for([
        ["another secret", { secret: "00".repeat(32) }],
        ["another job", { job: "cd".repeat(32) }],
        ["a place that is not there", { index: 3 }],
        ["the place of place 0", { index: 0 }],
      ] as const)("with %s is not let in", async ([, more]) => {
        const guest = await rig.join(1, more).catch((error: { code: string }) => error);
        if (guest instanceof ChannelGuest) await expect(guest.allThere()).rejects.toMatchObject({ code: "peer-left" });
        else expect(guest.code).toBe("peer-left");
        expect(rig.hub.taken).toBe(1);
      });

      test("on a place that is taken is not let in, and does not disturb", async () => {
        const [one] = await rig.all();
        const second = await rig.join(1);
        await expect(second.allThere()).rejects.toMatchObject({ code: "peer-left" });
        await one.send(0, Buffer.from("mine"));
        expect(await rig.hub.receive()).toMatchObject({ kind: "message", from: 1 });
      });
    });
  });
}
