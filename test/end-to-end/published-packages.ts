import { type ExecFileException, execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PackageRegistry } from "./package-registry.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What a package is packed from, beside its own folder. */
const PARTS = ["LICENSE-APACHE", "LICENSE-MIT", "firmware-examples/board-support", "scripts/pack-parts.js"];
/** Folders of packages that nothing is taken from. */
const NOT_PACKED = new Set(["node_modules", "native", "assembly", "hdf5-filter"]);
const LONG_OUTPUT_BYTES = 1 << 26;

/** What npm tells of a package that it packed. */
interface PackFacts {
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** The manifest of one of our packages, as far as it is read here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/** A package as it was published. */
export interface PublishedPackage {
  /** In the repository. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly files: readonly string[];
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly tarball: Buffer;
}

/** How a program ended, and what it printed. */
export interface Ended {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Somebody's machine: a home, a cache and programs of its own, this Node, and the registry as the only one. */
export class Stranger {
  readonly #env: NodeJS.ProcessEnv;

  /** @param home  an empty folder, which is the caller's to remove */
  constructor(home: string, registry: PackageRegistry) {
    const foreign = /^(npm_|node_options$|node_compile_cache$|(https?|all)_proxy$|vitest|init_cwd$)/i;
    const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
    const path = (process.env.PATH ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
    mkdirSync(home, { recursive: true });
    const token = `//${new URL(registry.url).host}/:_authToken=anybody\n`;
    writeFileSync(
      join(home, ".npmrc"),
      `registry=${registry.url}/\n${token}fund=false\naudit=false\nupdate-notifier=false\n`,
    );
    this.#env = {
      ...Object.fromEntries(own),
      HOME: home,
      USERPROFILE: home,
      npm_config_cache: join(home, "cache"),
      npm_config_userconfig: join(home, ".npmrc"),
      PATH: [dirname(process.execPath), ...path].join(":"),
    };
  }

  /** Run a program to its end. */
  async run(cwd: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return await new Promise((resolve) => {
      const options = { cwd, env: { ...this.#env, ...env }, encoding: "utf8", maxBuffer: LONG_OUTPUT_BYTES } as const;
      execFile(program, args, options, (error: ExecFileException | null, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
  }

  /** Run npm. @throws {RangeError} with what it said, where it fails */
  async npm(cwd: string, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(cwd, "npm", args);
    if (code !== 0) throw new RangeError(`npm ${args.join(" ")}: ${stderr}${stdout}`);
    return stdout;
  }
}

/** Every package of the repository that is published, the one before the other that needs it. */
export function publishableFolders(): string[] {
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { workspaces: string[] };
  return workspaces.filter((folder) => readManifest(folder).private !== true);
}

/**
 * Publish them by npm, from a copy: while a package is packed, parts of the repository lie in its folder.
 *
 * @param copy  an empty folder
 */
export async function publishAll(copy: string, registry: PackageRegistry, by: Stranger): Promise<PublishedPackage[]> {
  const folders = publishableFolders();
  for (const part of [...PARTS, ...folders]) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true, filter: (path) => !NOT_PACKED.has(basename(path)) });
  }
  writeFileSync(join(copy, "package.json"), JSON.stringify({ private: true, workspaces: folders }));
  // One object after the other, each with the package's name.
  const printed = (await by.npm(copy, "publish", "--workspaces", "--json")).replaceAll(/^}\s*^{/gm, "},{");
  const told: Record<string, PackFacts> = Object.assign({}, ...JSON.parse(`[${printed}]`));
  return folders.map((folder) => {
    const manifest = readManifest(folder);
    const { size = 0, unpackedSize = 0, files = [] } = told[manifest.name] ?? {};
    const tarball = registry.tarball(manifest.name, manifest.version);
    const paths = files.map(({ path }) => path);
    return { folder, manifest, files: paths, packedBytes: size, unpackedBytes: unpackedSize, tarball };
  });
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as Manifest;
}
