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

interface StreamDetail {
  readonly name: string;
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly { readonly current?: boolean }[] };
}

interface StreamReport {
  readonly account_details?: readonly { readonly stream_detail?: readonly StreamDetail[] }[];
  readonly meta_cluster?: { readonly leader?: string };
}

const LIMIT_MS = 60_000;
const LOOK_MS = 100;

/** Servers of NATS with JetStream on this machine: one, or three that stand in for each other. */
export class NatsCluster {
  readonly #members: readonly Member[];
  readonly #host: string;

  private constructor(members: readonly Member[], host: string) {
    this.#members = members;
    this.#host = host;
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
    const nats = new NatsCluster(members, host);
    for (const member of members) nats.#spawn(member);
    await nats.#until(async () => {
      const reports = await Promise.all(members.map((member) => nats.#report(member)));
      const isUp = (report: StreamReport | undefined) => count === 1 || report?.meta_cluster?.leader !== undefined;
      return reports.every((report) => report !== undefined && isUp(report));
    });
    return nats;
  }

  /** Of all of them. */
  get url(): string {
    return `nats://${this.#members.map(({ port }) => `${this.#host}:${port}`).join(",")}`;
  }

  /** kill -9 of the server that leads a stream. @returns starts it again */
  async killLeader(stream: string): Promise<() => void> {
    let led: readonly [Member, StreamDetail] | undefined;
    await this.#until(async () => {
      led = await this.#led(stream);
      return led !== undefined;
    });
    if (led === undefined) throw new BenchError("no-answer", { from: "nats-server" });
    const [killed] = led;
    killed.child?.kill("SIGKILL");
    if (killed.child !== undefined) await once(killed.child, "exit");
    return () => this.#spawn(killed);
  }

  /** Wait until a stream has a leader, and all of its followers have what it has. */
  async whole(stream: string): Promise<void> {
    await this.#until(async () => {
      const [, detail] = (await this.#led(stream)) ?? [];
      const replicas = detail?.cluster?.replicas ?? [];
      return replicas.length === this.#members.length - 1 && replicas.every(({ current }) => current === true);
    });
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

  /** What the server that leads a stream says of it; only that one knows how its followers stand. */
  async #led(stream: string): Promise<readonly [Member, StreamDetail] | undefined> {
    for (const member of this.#members) {
      const report = await this.#report(member);
      const details = report?.account_details?.flatMap(({ stream_detail = [] }) => stream_detail) ?? [];
      const detail = details.find(({ name }) => name === stream);
      if (detail?.cluster?.leader === member.name) return [member, detail];
    }
    return undefined;
  }

  /** What a server says of JetStream; undefined: nothing. */
  async #report({ monitor }: Member): Promise<StreamReport | undefined> {
    const url = `http://${this.#host}:${monitor}/jsz?accounts=true&streams=true`;
    const response = await fetch(url).catch(() => undefined);
    return response?.ok === true ? ((await response.json()) as StreamReport) : undefined;
  }

  async #until(isSo: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + LIMIT_MS;
    while (!(await isSo())) {
      if (performance.now() > endMs) throw new BenchError("no-answer", { from: "nats-server" });
      await setTimeout(LOOK_MS);
    }
  }
}
