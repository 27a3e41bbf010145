import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { transportSuite } from "../../edge-sdk/src/transport.suite.ts";
import { brokerFarEnd } from "../../edge-sdk/src/transports/mqtt.suite.ts";
import { Mosquitto } from "../faults/mosquitto.ts";
import { requires } from "../os-package.ts";

requires("mosquitto")("with a broker that is not ours", () => {
  let folder = "";
  let mosquitto: Mosquitto;
  let devices = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-mosquitto-"));
    mosquitto = await Mosquitto.start(folder);
  });
  afterAll(async () => {
    await mosquitto.stop();
    rmSync(folder, { recursive: true });
  });

  transportSuite("mqtt over mosquitto", () => {
    devices += 1;
    return brokerFarEnd(mosquitto.url, `dev-${devices}`);
  });
});
