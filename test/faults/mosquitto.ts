import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import { BrokerProcess, freePort } from "./broker-process.ts";

/** A real mosquitto that forgets everything when it is killed. */
export class Mosquitto extends BrokerProcess {
  /** @param folder  where its configuration is put */
  static async start(folder: string): Promise<Mosquitto> {
    const port = await freePort();
    const config = join(folder, "mosquitto.conf");
    // No limit on what waits for a slow subscriber: what a broker drops is another test's subject.
    writeFileSync(
      config,
      `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nset_tcp_nodelay true\n`,
    );
    const path = findProgram(osPackage("mosquitto")) ?? "mosquitto";
    const mosquitto = new Mosquitto({ name: "mosquitto", path, args: ["-c", config], port });
    await mosquitto.listening();
    return mosquitto;
  }
}
