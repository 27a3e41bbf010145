import { once } from "node:events";
import { connect as connectSocket, createServer, type Socket } from "node:net";
import { connectAsync } from "mqtt";
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random-source.ts";
import { type FarEnd, Inbox } from "../transport.suite.ts";
import type { OutTopic } from "../transport.ts";
import { mqttTransport } from "./mqtt.ts";

const TOPICS: Readonly<Record<string, OutTopic>> = { b: "birth", f: "frames", s: "presence" };

/**
 * A broker as the far end of the transport suite: the device reaches it through a relay that can be paused and cut,
 * and what it publishes is seen by a second client.
 *
 * @param brokerUrl  `mqtt://HOST:PORT` of a running broker
 * @param device  a name that no other test uses at the same broker
 */
export async function brokerFarEnd(brokerUrl: string, device: string): Promise<FarEnd> {
  const { hostname, port } = new URL(brokerUrl);
  const relay = await openRelay(hostname, Number(port));
  const inbox = new Inbox();
  const observer = await connectAsync(brokerUrl, { protocolVersion: 4, reconnectPeriod: 0 });
  observer.on("message", (topic, payload) => {
    const kind = TOPICS[topic.split("/").at(-1) ?? ""];
    if (kind !== undefined && kind !== "presence") inbox.push(kind, new Uint8Array(payload));
  });
  await observer.subscribeAsync(`ls/v1/test/${device}/+`, { qos: 1 });
  return {
    hasTopics: true,
    transport: () =>
      mqttTransport({
        url: `mqtt://127.0.0.1:${relay.port}`,
        group: "test",
        device,
        clock: systemClock(),
        random: systemRandom(),
      }),
    next: () => inbox.next(),
    send: (bytes) => observer.publish(`ls/v1/test/${device}/c`, Buffer.from(bytes), { qos: 0 }),
    drop: relay.drop,
    pause: relay.pause,
    resume: relay.resume,
    async close() {
      await observer.publishAsync(`ls/v1/test/${device}/b`, "", { qos: 1, retain: true });
      await observer.endAsync();
      await relay.close();
    },
  };
}

/** A byte relay in front of the broker, with a hand on the tap. */
async function openRelay(host: string, port: number) {
  const near = new Set<Socket>();
  let isPaused = false;
  const server = createServer({ noDelay: true }, (socket) => {
    const far = connectSocket({ host, port, noDelay: true });
    near.add(socket);
    socket.on("close", () => {
      near.delete(socket);
      far.end();
    });
    far.on("close", () => socket.destroy());
    socket.on("error", () => far.destroy());
    far.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      if (!far.write(chunk)) {
        socket.pause();
        far.once("drain", () => !isPaused && socket.resume());
      }
    });
    far.on("data", (chunk) => socket.write(chunk));
    if (isPaused) socket.pause();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    drop() {
      for (const socket of near) socket.destroy();
    },
    pause() {
      isPaused = true;
      for (const socket of near) socket.pause();
    },
    resume() {
      isPaused = false;
      for (const socket of near) socket.resume();
    },
    async close() {
      for (const socket of near) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
