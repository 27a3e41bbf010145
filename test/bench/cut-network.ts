import { spawnSync } from "node:child_process";
import { programPath } from "../os-package.ts";
import { BenchError } from "./bench-error.ts";

/** Addresses of nobody's network (RFC 2544). */
const HERE = "198.18.77.1";
const THERE = "198.18.77.2";

/** A network of two ends on this machine, as `ip netns` makes it, whose cable can be pulled. Needs root. */
export class CutNetwork {
  /** Address of this side. */
  readonly host = HERE;
  readonly #name: string;
  readonly #link: string;

  /** @throws {BenchError} `no-capture` where this user may make none */
  constructor() {
    this.#name = `lockstep-${process.pid}`;
    this.#link = `ls${process.pid}`;
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
    this.#ip("addr", "add", `${HERE}/30`, "dev", this.#link);
    this.#ip("link", "set", this.#link, "up");
    this.#ip("-n", this.#name, "addr", "add", `${THERE}/30`, "dev", "far");
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

  #ip(...args: readonly string[]): void {
    const { status, stderr } = this.#try(...args);
    if (status !== 0) throw new BenchError("no-capture", { command: `ip ${args.join(" ")}`, said: stderr.trim() });
  }

  #try(...args: readonly string[]) {
    return spawnSync(programPath("iproute2"), args, { encoding: "utf8" });
  }
}
