import { describe, expect, test } from "vitest";
import { MAX_MESSAGE_BYTES, type OutTopic, type Transport, TransportError } from "./transport.ts";

/** The far end of a transport, as a test sees it. */
export interface FarEnd {
  /** Whether messages arrive with the topic that they were sent to; a byte stream has none. */
  readonly hasTopics: boolean;
  /** A device-side transport that will reach this far end. */
  transport(): Transport;
  /** The next message from the device, in order of arrival. */
  next(): Promise<{ readonly topic: OutTopic; readonly bytes: Uint8Array }>;
  send(bytes: Uint8Array): void;
  /** Cut the connection from outside, and let the device come back. */
  drop(): void;
  /** Stop and start reading what the device sends. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** Messages of a far end in order of arrival, waited for one by one. */
export class Inbox {
  readonly #arrived: { topic: OutTopic; bytes: Uint8Array }[] = [];
  #waiting: (() => void) | undefined;

  push(topic: OutTopic, bytes: Uint8Array): void {
    this.#arrived.push({ topic, bytes });
    this.#waiting?.();
  }

  async next(): Promise<{ readonly topic: OutTopic; readonly bytes: Uint8Array }> {
    for (;;) {
      const message = this.#arrived.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }
}

/** Events of a transport, to be waited for. */
class Recorder {
  readonly messages: Uint8Array[] = [];
  readonly log: string[] = [];
  #waiters: { isMet: () => boolean; resolve: () => void }[] = [];

  readonly connected = (): void => this.#note("connected");
  readonly disconnected = (): void => this.#note("disconnected");
  readonly drained = (): void => this.#note("drained");
  readonly message = (bytes: Uint8Array): void => {
    this.messages.push(bytes);
    this.#note("message");
  };

  count(name: string): number {
    return this.log.filter((entry) => entry === name).length;
  }

  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isMet, resolve }));
  }

  #note(name: string): void {
    this.log.push(name);
    for (const waiter of this.#waiters) if (waiter.isMet()) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => !waiter.isMet());
  }
}

const WILL = Uint8Array.of(0);
const TEST_LIMIT_MS = 30_000;
/** Enough to fill every buffer between two sockets of one computer. */
const FLOOD_MESSAGE_BYTES = 32_768;
const FLOOD_LIMIT = 4_096;

/** What every transport does, whatever it is made of. */
export function transportSuite(name: string, createFarEnd: () => Promise<FarEnd>): void {
  const withTransport = (run: (far: FarEnd, transport: Transport, events: Recorder) => Promise<void>) => async () => {
    const far = await createFarEnd();
    const transport = far.transport();
    const events = new Recorder();
    try {
      await transport.open(events, WILL);
      await events.until(() => events.count("connected") === 1);
      await run(far, transport, events);
    } finally {
      far.resume();
      await transport.close();
      await far.close();
    }
  };

  describe(`transport ${name}`, { timeout: TEST_LIMIT_MS }, () => {
    test(
      "messages arrive whole, once and in order, in both directions",
      withTransport(async (far, transport, events) => {
        for (let i = 0; i < 50; i += 1) {
          expect(transport.send("frames", Uint8Array.of(i, ...new Uint8Array(i)))).toBe(true);
          far.send(Uint8Array.of(i, 255));
          const { topic, bytes } = await far.next();
          expect([bytes.length, bytes[0]]).toEqual([i + 1, i]);
          if (far.hasTopics) expect(topic).toBe("frames");
        }
        await events.until(() => events.messages.length === 50);
        expect(events.messages.map((bytes) => bytes[0])).toEqual(Array.from({ length: 50 }, (_, i) => i));
      }),
    );

    test(
      "messages sent at once keep their order on each topic",
      withTransport(async (far, transport) => {
        transport.send("birth", Uint8Array.of(200));
        for (let i = 0; i < 60; i += 1) expect(transport.send("frames", Uint8Array.of(i))).toBe(true);
        const received: { topic: OutTopic; bytes: Uint8Array }[] = [];
        while (received.length < 61) received.push(await far.next());
        const first = received.map(({ bytes }) => bytes[0]);
        expect(first.filter((byte) => byte !== 200)).toEqual(Array.from({ length: 60 }, (_, i) => i));
        if (far.hasTopics) expect(received.find(({ topic }) => topic === "birth")?.bytes[0]).toBe(200);
      }),
    );

    test(
      "the sender may overwrite its buffer as soon as send has returned",
      withTransport(async (far, transport) => {
        const buffer = Uint8Array.of(7, 7, 7);
        transport.send("frames", buffer);
        buffer.fill(0);
        expect([...(await far.next()).bytes]).toEqual([7, 7, 7]);
      }),
    );

    test(
      "the largest message passes, a larger one and an empty one are refused",
      withTransport(async (far, transport, events) => {
        const largest = Uint8Array.from({ length: MAX_MESSAGE_BYTES }, (_, i) => (i * 31) & 255);
        expect(transport.send("frames", largest)).toBe(true);
        expect(Buffer.compare((await far.next()).bytes, largest)).toBe(0);
        far.send(largest);
        await events.until(() => events.messages.length === 1);
        expect(Buffer.compare(events.messages[0] ?? WILL, largest)).toBe(0);
        expect(() => transport.send("frames", new Uint8Array(MAX_MESSAGE_BYTES + 1))).toThrow(TransportError);
        expect(() => transport.send("frames", new Uint8Array(0))).toThrow(TransportError);
      }),
    );

    test(
      "a far end that does not read makes send refuse, and drained says when to go on; nothing accepted is lost",
      withTransport(async (far, transport, events) => {
        far.pause();
        const message = new Uint8Array(FLOOD_MESSAGE_BYTES);
        const number = new DataView(message.buffer);
        let sent = 0;
        for (; sent < FLOOD_LIMIT; sent += 1) {
          number.setUint32(0, sent);
          if (!transport.send("frames", message)) {
            // A socket's buffer empties into the kernel for a while before it is full for good.
            if (!(await drainedSoon(events))) break;
            sent -= 1;
          }
        }
        expect(sent).toBeGreaterThan(0);
        expect(sent).toBeLessThan(FLOOD_LIMIT);
        const drainedBefore = events.count("drained");
        far.resume();
        for (let i = 0; i < sent; i += 1) {
          const { bytes } = await far.next();
          expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)).toBe(i);
        }
        await events.until(() => events.count("drained") > drainedBefore);
        number.setUint32(0, sent);
        expect(transport.send("frames", message)).toBe(true);
        await far.next();
      }),
    );

    test(
      "a dropped connection is told, and comes back by itself",
      withTransport(async (far, transport, events) => {
        for (let round = 1; round <= 3; round += 1) {
          far.drop();
          await events.until(() => events.count("connected") === round + 1);
          expect(events.count("disconnected")).toBe(round);
          expect(transport.send("birth", Uint8Array.of(round))).toBe(true);
          expect((await far.next()).bytes[0]).toBe(round);
        }
      }),
    );

    test("without a connection send refuses", async () => {
      const far = await createFarEnd();
      const transport = far.transport();
      expect(transport.send("frames", Uint8Array.of(1))).toBe(false);
      await transport.open(new Recorder(), WILL);
      await transport.close();
      expect(transport.send("frames", Uint8Array.of(1))).toBe(false);
      await far.close();
    });

    test(
      "what was accepted before close arrives, and no event follows it",
      withTransport(async (far, transport, events) => {
        for (let i = 0; i < 20; i += 1) transport.send("frames", Uint8Array.of(i));
        await transport.close();
        const logged = events.log.length;
        for (let i = 0; i < 20; i += 1) expect((await far.next()).bytes[0]).toBe(i);
        far.send(Uint8Array.of(1));
        far.drop();
        expect(events.log.length).toBe(logged);
      }),
    );

    test(
      "a transport is opened once",
      withTransport(async (_far, transport) => {
        await expect(transport.open(new Recorder(), WILL)).rejects.toThrow(TransportError);
      }),
    );

    test(
      "destroy and close may follow each other in any order",
      withTransport(async (_far, transport, events) => {
        await transport.destroy();
        await transport.close();
        await transport.destroy();
        expect(events.count("disconnected")).toBe(0);
      }),
    );
  });
}

/** Whether a refused transport takes messages again while the far end still does not read. */
async function drainedSoon(events: Recorder): Promise<boolean> {
  const before = events.count("drained");
  for (let turn = 0; turn < 200 && events.count("drained") === before; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return events.count("drained") > before;
}
