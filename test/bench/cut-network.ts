import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { programPath } from "../os-package.ts";
import { BenchError } from "./bench-error.ts";

/** Networks of two addresses in 198.18.0.0/15, which is nobody's (RFC 2544). */
const NETWORKS = 2 ** 15;

/** A network of two ends on this machine, as `ip netns` makes it, whose cable can be pulled. Needs root. */
export class CutNetwork {
  /** Address of this side. */
  readonly host = addressOf(1);
  readonly #name = `lockstep-${process.pid}`;
  readonly #link = linkOf(process.pid);

  /** @throws {BenchError} `no-capture` where this user may make none */
  constructor() {
    this.#removeLeft();
    this.#ip("netns", "add", this.#name);
    try {
      this.#connect();
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  #connect(): void {
    this.#ip("link", "add", this.#link, "type", "veth", "peer", "name", "far", "netns", this.#name);
    this.#ip("addr", "add", `${this.host}/30`, "dev", this.#link);
    this.#ip("link", "set", this.#link, "up");
    this.#ip("-n", this.#name, "addr", "add", `${addressOf(2)}/30`, "dev", "far");
    this.#ip("-n", this.#name, "link", "set", "far", "up");
    this.#ip("-n", this.#name, "link", "set", "lo", "up");
  }

  /** What a program is started with so that it is on the other side. */
  get there(): readonly string[] {
    return [programPath("iproute2"), "netns", "exec", this.#name];
  }

  /** Pull the cable: nobody is told, and nothing comes through. */
  cut(): void {
    this.#ip("link", "set", this.#link, "down");
  }

  mend(): void {
    this.#ip("link", "set", this.#link, "up");
  }

  remove(): void {
    // Its other end goes with it; it may never have come to be.
    this.#try("link", "del", this.#link);
    this.#ip("netns", "del", this.#name);
  }

  /** What processes left behind that were killed: two networks of one address would take each other's answers. */
  #removeLeft(): void {
    for (const [, name = "", pid = ""] of this.#try("netns", "list").stdout.matchAll(/^(lockstep-(\d+))/gm)) {
      if (existsSync(`/proc/${pid}`)) continue;
      this.#try("link", "del", linkOf(Number(pid)));
      this.#try("netns", "del", name);
    }
  }

  #ip(...args: readonly string[]): void {
    const { status, stderr } = this.#try(...args);
    if (status !== 0) throw new BenchError("no-capture", { command: `ip ${args.join(" ")}`, said: stderr.trim() });
  }

  #try(...args: readonly string[]) {
    return spawnSync(programPath("iproute2"), args, { encoding: "utf8" });
  }
}

function linkOf(pid: number): string {
  return `ls${pid}`;
}

/** One of this process's two addresses. @param end  1 here, 2 there */
function addressOf(end: 1 | 2): string {
  const network = process.pid % NETWORKS;
  return `198.${18 + (network >> 14)}.${(network >> 6) & 255}.${((network & 63) << 2) + end}`;
}
