import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LockstepProcess, runLockstep } from "../end-to-end/lockstep-process.ts";

/** Until a node knows what a command has written. */
const POLL_MS = 200;

/** What an attacker gets back. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What an attacker sends. */
export interface Attempt {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Address that it comes from, all of them this machine: 127.0.0.x. Wrong tokens are counted by it. */
  readonly from?: string;
}

/** `lockstep serve` as an operator starts it, logging all that it can, with one device that has sent some seconds. */
export class HttpTarget {
  readonly port: number;
  readonly store: string;
  /** Everything that must be in no log and in no file. */
  readonly secrets = new Set<string>();
  readonly #node: LockstepProcess;
  readonly #folder: string;
  #asked = 0;

  private constructor(node: LockstepProcess, folder: string, store: string, port: number) {
    this.#node = node;
    this.#folder = folder;
    this.store = store;
    this.port = port;
  }

  static async open(): Promise<HttpTarget> {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-attacked-"));
    const store = join(folder, "node.db");
    const options = ["--http", "0", "--mqtt-port", "0", "--log", "debug", "--store", store];
    const node = new LockstepProcess("serve", ...options);
    const places = JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as { http: string; mqtt: string };
    const sim = await runLockstep("sim", "rotor", "--to", places.mqtt, "--id", "pump", "--duration", "2");
    if (sim.code !== 0) throw new RangeError(sim.stderr);
    return new HttpTarget(node, folder, store, Number(new URL(places.http).port));
  }

  /** Make a token, and wait until the node knows it. */
  async token(name: string, ...options: readonly string[]): Promise<string> {
    const made = await runLockstep("tokens", "add", name, ...options, "--json", "--store", this.store);
    if (made.code !== 0) throw new RangeError(made.stderr);
    const { token } = JSON.parse(made.stdout) as { token: string };
    this.secrets.add(token);
    if (options.includes("--expires")) return token;
    await this.#until(token, true);
    return token;
  }

  /** Revoke a token, and wait until the node knows it. */
  async revoke(name: string, token: string): Promise<void> {
    await runLockstep("tokens", "revoke", name, "--store", this.store);
    await this.#until(token, false);
  }

  /** Wait until a token is good, or is not. */
  async #until(token: string, isGood: boolean): Promise<void> {
    const headers = { authorization: `Bearer ${token}` };
    // While everybody may ask there is no name.
    const from = `127.0.9.${++this.#asked}`;
    const isKnown = async () => {
      // From an address of its own: a token that is not known yet is a wrong one.
      const { body } = await this.ask("/api/v1/session", { headers, from });
      return body.includes('"isOpen":false,"name":"');
    };
    while ((await isKnown()) !== isGood) await new Promise((next) => setTimeout(next, POLL_MS));
  }

  /** Ask for a path exactly as it is written: nothing is tidied up on the way. */
  async ask(path: string, { method = "GET", headers = {}, body, from = "127.0.0.1" }: Attempt = {}): Promise<Answer> {
    const host = `127.0.0.1:${this.port}`;
    const where = { host: "127.0.0.1", port: this.port, localAddress: from, agent: false };
    const asked = request({ ...where, path, method, headers: { host, ...headers } });
    const answered = once(asked, "response");
    // Whoever is refused while he still sends is cut: what came before that counts.
    asked.on("error", () => {});
    asked.end(body);
    const [response] = await answered;
    let text = "";
    // A stream is not waited for: its head says enough.
    if (String(response.headers["content-type"]).startsWith("text/event-stream")) response.destroy();
    else for await (const chunk of response.setEncoding("utf8")) text += chunk;
    return { status: response.statusCode, headers: response.headers, body: text };
  }

  /** Send bytes, and give back all that comes until the node ends the connection. */
  async exchange(bytes: string | Uint8Array, from = "127.0.0.1"): Promise<string> {
    const socket = connect({ host: "127.0.0.1", port: this.port, localAddress: from });
    socket.on("error", () => {});
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.end(bytes);
    await ended;
    return text;
  }

  /** End the node, and give back all that it logged and all that it left in files, by name. */
  async close(): Promise<ReadonlyMap<string, string>> {
    const { stderr } = await this.#node.interrupted();
    const files = readdirSync(this.#folder).map(
      (name) => [name, readFileSync(join(this.#folder, name), "latin1")] as const,
    );
    rmSync(this.#folder, { recursive: true });
    return new Map([["the log", stderr], ...files]);
  }
}
