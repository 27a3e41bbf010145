import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import { BrokerProcess, freePort } from "./broker-process.ts";

/** A real NATS server with its MQTT gateway; what is retained lies in its store, and outlives a kill. */
export class NatsServer extends BrokerProcess {
  /** @param folder  where its configuration and its store are put */
  static async start(folder: string): Promise<NatsServer> {
    const port = await freePort();
    const config = join(folder, "nats.conf");
    // Sessions and retained messages of MQTT are kept in JetStream, without which the gateway does not start.
    writeFileSync(
      config,
      [
        "server_name: lockstep-test",
        `listen: "127.0.0.1:${await freePort()}"`,
        `jetstream { store_dir: ${JSON.stringify(join(folder, "jetstream"))} }`,
        `mqtt { listen: "127.0.0.1:${port}" }`,
        "",
      ].join("\n"),
    );
    const path = findProgram(osPackage("nats-server")) ?? "nats-server";
    const nats = new NatsServer({ name: "nats-server", path, args: ["-c", config], port });
    await nats.listening();
    return nats;
  }
}
