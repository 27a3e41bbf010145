import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DeviceSession, type DeviceSessionOptions, Loopback, systemClock } from "@lockstep/edge-sdk";
import { afterEach, expect, vi } from "vitest";
import type { Role } from "../access/role.ts";
import { TokenBook } from "../access/token-book.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import { openDevice, SeededRandom } from "../test-device.suite.ts";
import { HttpServer, type HttpServerOptions } from "./http-server.ts";

const LIMIT_MS = 20_000;
/** What a device's ring has room for. */
const PORTION_ROWS = 5_000;

type RigOptions = Partial<Omit<HttpServerOptions, "node" | "clock" | "host" | "port">> & {
  /** Whether the node has a queue of jobs. */
  readonly hasJobs?: boolean;
};

/** A node, its server, and devices beside them in this process. */
export class ApiRig {
  readonly clock = systemClock();
  readonly folder: string;
  readonly node: CloudNode;
  readonly server: HttpServer;
  readonly #devices: DeviceSession[] = [];

  private constructor(folder: string, node: CloudNode, server: HttpServer) {
    this.folder = folder;
    this.node = node;
    this.server = server;
  }

  static async open({ hasJobs = false, ...options }: RigOptions = {}): Promise<ApiRig> {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-api-"));
    const { logger = SILENT_LOGGER, ...rest } = options;
    const clock = systemClock();
    const storeFile = join(folder, "store.db");
    const jobs = hasJobs ? `sqlite:${storeFile}.jobs` : undefined;
    const node = await CloudNode.open({ storeFile, broker: null, jobs, logger, clock });
    const server = await HttpServer.open({ node, clock, logger, host: "127.0.0.1", port: 0, ...rest });
    const rig = new ApiRig(folder, node, server);
    OPEN.add(rig);
    return rig;
  }

  /** The same around another node. */
  async beside(node: CloudNode): Promise<ApiRig> {
    const options = { node, clock: this.clock, logger: SILENT_LOGGER, host: "127.0.0.1", port: 0 };
    const rig = new ApiRig(this.folder, node, await HttpServer.open(options));
    OPEN.add(rig);
    return rig;
  }

  /** A device that sends these rows and waits until they are stored. */
  async device(
    device: string,
    rows: readonly (readonly number[])[],
    options: Partial<DeviceSessionOptions> = {},
  ): Promise<DeviceSession> {
    const loopback = new Loopback();
    this.node.attach(loopback);
    const random = new SeededRandom(rows.length + 1);
    const session = await openDevice({ device, transport: loopback.transport, random, ...options });
    this.#devices.push(session);
    await vi.waitFor(() => {
      if (this.node.device(device) === undefined) throw new RangeError("not born yet");
    }, LIMIT_MS);
    await this.send(session, rows);
    return session;
  }

  /** Send rows of a device, and wait until they are stored. */
  async send(session: DeviceSession, rows: readonly (readonly number[])[]): Promise<void> {
    for (let from = 0; from < rows.length; from += PORTION_ROWS) {
      for (const row of rows.slice(from, from + PORTION_ROWS)) session.push([...row]);
      session.flush();
      if (!(await session.drained(LIMIT_MS))) throw new RangeError("the device was not confirmed in time");
    }
  }

  /** A token with these roles, once the server knows it. */
  async token(name: string, ...roles: Role[]): Promise<string> {
    const { secret } = await this.book.add({ name, roles }, this.clock.unixUs() / 1000);
    const told = async () => await (await this.as(secret, "/api/v1/session")).json();
    await vi.waitFor(async () => expect(await told()).toMatchObject({ isOpen: false, name }), LIMIT_MS);
    return secret;
  }

  /** The tokens of the node. */
  get book(): TokenBook {
    return new TokenBook(this.node.storeFile);
  }

  /** Ask for a path with a token. */
  async as(secret: string, path: string, init: RequestInit = {}): Promise<Response> {
    return await this.get(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${secret}` } });
  }

  /** Ask for a path. */
  async get(path: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(`${this.server.url.replace("localhost", "127.0.0.1")}${path}`, init);
  }

  /** The JSON at a path under `/api/v1`. */
  async json<Body>(path: string): Promise<Body> {
    return (await (await this.get(`/api/v1${path}`)).json()) as Body;
  }

  async close(): Promise<void> {
    for (const device of this.#devices) await device.destroy();
    await this.server.close();
    await this.node.close();
  }
}

const OPEN = new Set<ApiRig>();

/** Close every rig of a test behind it. */
export function closeRigsAfterEach(): void {
  afterEach(async () => {
    for (const rig of OPEN) await rig.close();
    for (const { folder } of OPEN) rmSync(folder, { recursive: true, force: true });
    OPEN.clear();
  });
}
