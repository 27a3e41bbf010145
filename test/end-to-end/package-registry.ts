import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const IN_NODE_MODULES = /(^|.*\/)node_modules\/((@[^/]+\/)?[^/]+)$/;

/** One version of a package: what the registry's index says of it, and where its files are. */
interface Release {
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Packed, as it was published; undefined for an installed package, which is packed when somebody asks. */
  readonly tarball?: Buffer;
  readonly folder?: string;
}

/** What `npm publish` sends. */
interface Publication {
  readonly versions: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly _attachments: Readonly<Record<string, { readonly data: string }>>;
}

/**
 * A registry of npm on this machine, for as long as a test lasts: takes what is published, and has beside it, in the
 * versions of the lock file, what is installed in this repository. It asks no other machine for anything.
 */
export class PackageRegistry {
  readonly url: string;
  readonly #server: Server;
  readonly #packages = new Map<string, Map<string, Release>>();
  /** Everything that was asked for and is not there. */
  readonly missing: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
  }

  /** @param leftOut  names of installed packages that it shall not have */
  static async open(leftOut: readonly string[] = []): Promise<PackageRegistry> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const registry = new PackageRegistry(server);
    registry.#takeInstalled(new Set(leftOut));
    return registry;
  }

  /** The packed bytes of what was published. */
  tarball(name: string, version: string): Buffer {
    const { tarball } = this.#packages.get(name)?.get(version) ?? {};
    if (tarball === undefined) throw new RangeError(`${name} ${version} was not published`);
    return tarball;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #takeInstalled(leftOut: ReadonlySet<string>): void {
    const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, Record<string, unknown>>;
    };
    for (const [path, { link, integrity: _, ...manifest }] of Object.entries(packages)) {
      const [, , name] = IN_NODE_MODULES.exec(path) ?? [];
      if (name === undefined || link === true || leftOut.has(name)) continue;
      this.#add(name, { manifest: { ...manifest, name }, folder: join(ROOT, path) });
    }
  }

  #add(name: string, release: Release): void {
    const versions = this.#packages.get(name) ?? new Map<string, Release>();
    this.#packages.set(name, versions.set(String(release.manifest.version), release));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent((request.url ?? "").slice(1));
    const [name = "", version] = path.split("/-/");
    const versions = this.#packages.get(name);
    if (request.method === "PUT") {
      const { versions: published, _attachments: files } = (await json(request)) as Publication;
      const [tarball] = Object.values(files).map(({ data }) => Buffer.from(data, "base64"));
      for (const manifest of Object.values(published)) this.#add(name, tarball ? { manifest, tarball } : { manifest });
      response.writeHead(201).end("{}");
      return;
    }
    // Nothing here changes: who installs twice has all of it in his cache.
    response.setHeader("cache-control", "public, max-age=3600, immutable");
    if (versions !== undefined && version === undefined) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(this.#index(name, versions)));
    } else {
      const release = versions?.get(version?.replace(/\.tgz$/, "") ?? "");
      if (release?.tarball !== undefined) response.end(release.tarball);
      else if (release?.folder !== undefined && existsSync(release.folder)) pack(release.folder, response);
      else {
        this.missing.push(path);
        response.removeHeader("cache-control");
        response.writeHead(404).end("{}");
      }
    }
  }

  /** What npm reads to choose a version: digests are those of what was published; what is packed here has none. */
  #index(name: string, versions: ReadonlyMap<string, Release>): unknown {
    const entries = [...versions].map(([version, { manifest, tarball }]) => {
      const { integrity } = (manifest.dist ?? {}) as { integrity?: string };
      const dist = { tarball: `${this.url}/${name}/-/${version}.tgz`, ...(tarball ? { integrity } : {}) };
      return [version, { ...manifest, dist }];
    });
    return { name, "dist-tags": { latest: entries.at(-1)?.[0] }, versions: Object.fromEntries(entries) };
  }
}

/**
 * An installed package as an archive, without the packages that lie in it, and of Node's without headers and manuals;
 * npm takes it uncompressed as well.
 */
function pack(folder: string, response: ServerResponse): void {
  const left = ["node_modules", "include/node", "share"].flatMap((name) => ["--exclude", name]);
  const args = ["-c", "-f", "-", ...left, "-C", dirname(folder), basename(folder)];
  spawn("tar", args, { stdio: ["ignore", "pipe", "inherit"] }).stdout.pipe(response);
}
