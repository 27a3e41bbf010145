import { decodeFrame, encodeFrame, formatTopic } from "@lockstep/protocol";
import { connectAsync } from "mqtt";
import { expect, onTestFinished, test, vi } from "vitest";
import { openBroker } from "../broker/open-broker.suite.ts";
import { Counters } from "../counters.ts";
import { SILENT_LOGGER } from "../logger.ts";
import type { TwinRegistry } from "../reconstructor/twin-registry.ts";
import type { FrameIntake, FrameSource } from "./frame-intake.ts";
import { MqttLink } from "./mqtt-link.ts";

const LIMIT_MS = 5_000;
/** More than the broker has under way at once. */
const MESSAGES = 300;

test("a node that holds its devices still speaks to them over the broker in its process", async () => {
  const broker = await openBroker();
  onTestFinished(() => broker.close());
  const sources: FrameSource[] = [];
  const intake: Pick<FrameIntake, "receive" | "encode"> = {
    receive: (_bytes, source) => void sources.push(source),
    encode: (frame) => encodeFrame(frame),
  };
  const link = new MqttLink({
    broker,
    grantsAliases: () => true,
    clientId: "node",
    group: "lockstep",
    intake: intake as FrameIntake,
    registry: {} as TwinRegistry,
    counters: new Counters(),
    logger: SILENT_LOGGER,
  });
  onTestFinished(() => link.close());
  await link.ready();
  const device = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 4 });
  onTestFinished(() => device.endAsync(true));
  const heard: Buffer[] = [];
  device.on("message", (_topic, payload) => heard.push(payload));
  await device.subscribeAsync(formatTopic({ group: "lockstep", device: "unit", level: "control" }));
  link.pause();
  for (let i = 0; i < MESSAGES; i += 1) {
    device.publish(formatTopic({ group: "lockstep", device: "unit", level: "frames" }), Buffer.of(1, 2));
  }
  // With more under way than it has room for, the broker would publish nothing at all.
  await vi.waitFor(() => expect(sources.length).toBe(MESSAGES), LIMIT_MS);
  sources[0]?.link.send({ kind: "ack", nonce: 7, epoch: 1, through: 9, missing: [] });
  await vi.waitFor(() => expect(heard.length).toBe(1), LIMIT_MS);
  expect(decodeFrame(new Uint8Array(heard[0] ?? []))).toMatchObject({ kind: "ack", through: 9 });
});
