import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { findProgram, mustRunAll, osPackage } from "../../../scripts/os-packages.js";
import { transportSuite } from "../transport.suite.ts";
import { brokerFarEnd } from "./mqtt.suite.ts";

const program = findProgram(osPackage("mosquitto"));

/** A port that was free a moment ago; mosquitto cannot choose one itself. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Resolves when somebody listens. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect({ host: "127.0.0.1", port });
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.on("connect", () => resolve(true));
      socket.on("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.runIf(program !== undefined || mustRunAll())("with a broker that is not ours", () => {
  let folder = "";
  let port = 0;
  let broker: ChildProcess;
  let devices = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-mosquitto-"));
    port = await freePort();
    const config = join(folder, "mosquitto.conf");
    writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n`);
    broker = spawn(program ?? "mosquitto", ["-c", config], { stdio: "ignore" });
    await listening(port);
  });

  afterAll(async () => {
    broker.kill("SIGKILL");
    if (broker.exitCode === null && broker.signalCode === null) await once(broker, "exit");
    rmSync(folder, { recursive: true });
  });

  transportSuite("mqtt over mosquitto", () => {
    devices += 1;
    return brokerFarEnd(`mqtt://127.0.0.1:${port}`, `dev-${devices}`);
  });
});
