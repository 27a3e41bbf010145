import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "../faults/broker-process.ts";
import { programPath } from "../os-package.ts";
import { BenchError } from "./bench-error.ts";

interface Member {
  readonly name: string;
  readonly port: number;
  readonly monitor: number;
  readonly config: string;
  child: ChildProcess | undefined;
}

interface StreamReport {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly { readonly name: string; readonly cluster?: { readonly leader?: string } }[];
  }[];
  readonly meta_cluster?: { readonly leader?: string };
}

const LIMIT_MS = 60_000;
const LOOK_MS = 100;

/** Servers of NATS with JetStream on this machine: one, or three that stand in for each other. */
export class NatsCluster {
  readonly #members: readonly Member[];

  private constructor(members: readonly Member[]) {
    this.#members = members;
  }

  /** @param folder  where configurations and stores are put. @param host  address that they listen on */
  static async start(folder: string, count: 1 | 3, host = "127.0.0.1"): Promise<NatsCluster> {
    const names = ["a", "b", "c"].slice(0, count);
    const ports = await Promise.all(names.flatMap(() => [freePort(), freePort(), freePort()]));
    const routes = names.map((_, i) => `nats://${host}:${ports[3 * i + 2]}`);
    const members = names.map((name, i): Member => {
      const [port = 0, monitor = 0, route = 0] = ports.slice(3 * i);
      const config = join(folder, `${name}.conf`);
      const store = join(folder, name);
      mkdirSync(store, { recursive: true });
      const cluster =
        count === 1 ? "" : `cluster { name: lockstep, listen: "${host}:${route}", routes: ${JSON.stringify(routes)} }`;
      writeFileSync(
        config,
        [
          ...[`server_name: ${name}`, `listen: "${host}:${port}"`, `http: "${host}:${monitor}"`],
          ...[`jetstream { store_dir: ${JSON.stringify(store)} }`, cluster, ""],
        ].join("\n"),
      );
      return { name, port, monitor, config, child: undefined };
    });
    const nats = new NatsCluster(members);
    for (const member of members) nats.#spawn(member);
    await nats.#until(async () => (await nats.#report())?.meta_cluster?.leader !== undefined || count === 1);
    return nats;
  }

  /** Of all of them. */
  url(host = "127.0.0.1"): string {
    return `nats://${this.#members.map(({ port }) => `${host}:${port}`).join(",")}`;
  }

  /** kill -9 of the server that leads a stream. @returns starts it again */
  async killLeader(stream: string): Promise<() => void> {
    let leader: Member | undefined;
    await this.#until(async () => {
      const report = await this.#report(true);
      const details = report?.account_details?.flatMap(({ stream_detail = [] }) => stream_detail) ?? [];
      const name = details.find((one) => one.name === stream)?.cluster?.leader;
      leader = this.#members.find((member) => member.name === name && member.child?.exitCode === null);
      return leader !== undefined;
    });
    if (leader === undefined) throw new BenchError("no-answer", { from: "nats-server" });
    const killed = leader;
    killed.child?.kill("SIGKILL");
    if (killed.child !== undefined) await once(killed.child, "exit");
    return () => this.#spawn(killed);
  }

  async stop(): Promise<void> {
    for (const { child } of this.#members) {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }

  #spawn(member: Member): void {
    member.child = spawn(programPath("nats-server"), ["-c", member.config], { stdio: "ignore" });
  }

  /** What one of the servers says of JetStream. */
  async #report(withStreams = false): Promise<StreamReport | undefined> {
    for (const { monitor } of this.#members) {
      const url = `http://127.0.0.1:${monitor}/jsz${withStreams ? "?accounts=true&streams=true" : ""}`;
      const response = await fetch(url).catch(() => undefined);
      if (response?.ok === true) return (await response.json()) as StreamReport;
    }
    return undefined;
  }

  async #until(isSo: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + LIMIT_MS;
    while (!(await isSo())) {
      if (performance.now() > endMs) throw new BenchError("no-answer", { from: "nats-server" });
      await setTimeout(LOOK_MS);
    }
  }
}
