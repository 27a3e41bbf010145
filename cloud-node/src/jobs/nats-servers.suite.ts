import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { findProgram, mustRunAll, osPackage } from "../../../scripts/os-packages.js";

const PROGRAM = findProgram(osPackage("nats-server"));
const TRIES = 4_000;
/** Below those that a system hands out by itself. */
const PORTS = { first: 10_000, end: 32_768 };

/** `describe` for what needs nats-server: left out where it is not installed, but not in continuous integration. */
export const describeWithNats = describe.runIf(PROGRAM !== undefined || mustRunAll());

/** NATS servers in processes of their own, one or a cluster, which can be killed and started again. */
export class NatsServers {
  readonly folder: string;
  readonly #ports: readonly number[];
  readonly #children: (ChildProcess | undefined)[] = [];

  private constructor(folder: string, ports: readonly number[]) {
    this.folder = folder;
    this.#ports = ports;
  }

  static async start(count = 1): Promise<NatsServers> {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-nats-"));
    const ports = await freePorts(2 * count);
    const servers = new NatsServers(folder, ports.slice(0, count));
    const routes = ports.slice(count).map((port) => `nats-route://127.0.0.1:${port}`);
    for (let i = 0; i < count; i++) {
      const cluster = `cluster { name: lockstep, listen: "127.0.0.1:${ports[count + i]}", routes: ${JSON.stringify(routes)} }`;
      const lines = [
        `server_name: s${i}`,
        `listen: "127.0.0.1:${ports[i]}"`,
        `jetstream { store_dir: ${JSON.stringify(join(folder, `s${i}`))} }`,
        ...(count > 1 ? [cluster] : []),
      ];
      writeFileSync(servers.#config(i), `${lines.join("\n")}\n`);
    }
    await Promise.all(ports.slice(0, count).map((_, i) => servers.restart(i)));
    return servers;
  }

  /** All of them. */
  get url(): string {
    return `nats://${this.#ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
  }

  /** Start one, also again. */
  async restart(index = 0): Promise<void> {
    this.#children[index] = spawn(PROGRAM ?? "nats-server", ["-c", this.#config(index)], { stdio: "ignore" });
    for (let i = 0; !(await accepts(this.#ports[index] ?? 0)); i++) {
      if (i === TRIES) expect.fail("nats-server did not start");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** kill -9. @param name  as the server calls itself: s0, s1 … */
  async kill(name = "s0"): Promise<void> {
    const child = this.#children[Number(name.slice(1))];
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async stop(): Promise<void> {
    for (let i = 0; i < this.#children.length; i++) await this.kill(`s${i}`);
    rmSync(this.folder, { recursive: true });
  }

  #config(index: number): string {
    return join(this.folder, `s${index}.conf`);
  }
}

/** Ports that were free a moment ago, of those that no connection takes while a server is down. */
async function freePorts(count: number): Promise<number[]> {
  const free = new Set<number>();
  while (free.size < count) {
    const port = randomInt(PORTS.first, PORTS.end);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    await once(server.close(), "close");
    free.add(port);
  }
  return [...free];
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
