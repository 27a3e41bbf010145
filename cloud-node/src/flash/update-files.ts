import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "../owner-file.ts";
import { parseRollout, type RolloutRecord } from "./update-record.ts";

/** Beside the store. */
const SUFFIX = ".updates";
/** They may be signed with a secret, and say which devices there are. */
const OWNER_ONLY = 0o700;
const ROLLOUT = /^([0-9a-f]{16})\.json$/;
const PACKAGE = /^([0-9a-f]{64})\.lsup$/;
/** Roll-outs that are over and still known. */
const KEPT_ROLLOUTS = 100;

/**
 * What outlives the node of its updates, in a folder beside the store: each roll-out a file of its own, packages under
 * their SHA-256. Every file is there whole or not at all, whenever the power goes.
 */
export class UpdateFiles {
  readonly folder: string;

  /** @param storeFile  of the node */
  constructor(storeFile: string) {
    this.folder = `${storeFile}${SUFFIX}`;
  }

  /** Every roll-out, oldest first, and the names of files that are none. None when there is no folder. */
  async load(): Promise<{ readonly rollouts: RolloutRecord[]; readonly damaged: string[] }> {
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const rollouts: RolloutRecord[] = [];
    const damaged: string[] = [];
    for (const name of names) {
      const path = join(this.folder, name);
      // What a kill left half-written was never part of anything.
      if (name.endsWith(".part")) await rm(path, { force: true });
      if (!ROLLOUT.test(name)) continue;
      const rollout = parseRollout(await readFile(path, "utf8"));
      if (rollout !== undefined && `${rollout.id}.json` === name) rollouts.push(rollout);
      else damaged.push(path);
    }
    return { rollouts: rollouts.sort((a, b) => a.createdUs - b.createdUs), damaged };
  }

  async saveRollout(rollout: RolloutRecord): Promise<void> {
    await this.#write(`${rollout.id}.json`, JSON.stringify(rollout));
  }

  /** Keep packages' bytes. @param name  as `packagesName` gives it */
  async savePackages(name: string, bytes: Uint8Array): Promise<void> {
    await this.#write(`${name}.lsup`, bytes);
  }

  /** The bytes under a name; undefined where they are not whole. */
  async packages(name: string): Promise<Uint8Array | undefined> {
    const bytes = await readFile(join(this.folder, `${name}.lsup`)).catch(() => undefined);
    if (bytes === undefined || packagesName(bytes) !== name) return undefined;
    return new Uint8Array(bytes);
  }

  /**
   * Forget the oldest roll-outs that are over, and packages that none of the rest needs.
   *
   * @param isAlsoNeeded  whether a package is one of a roll-out that began meanwhile, or is about to
   * @returns the roll-outs that are left
   */
  async prune(
    rollouts: readonly RolloutRecord[],
    isAlsoNeeded: (packages: string) => boolean,
  ): Promise<RolloutRecord[]> {
    const over = rollouts.filter(({ state }) => state !== "running");
    const forgotten = new Set(over.slice(0, Math.max(0, over.length - KEPT_ROLLOUTS)));
    const left = rollouts.filter((rollout) => !forgotten.has(rollout));
    for (const { id } of forgotten) await rm(join(this.folder, `${id}.json`), { force: true });
    const needed = new Set(left.filter(({ state }) => state === "running").map(({ packages }) => packages));
    for (const name of await readdir(this.folder).catch(() => [])) {
      const [, hash] = PACKAGE.exec(name) ?? [];
      if (hash !== undefined && !needed.has(hash) && !isAlsoNeeded(hash))
        await rm(join(this.folder, name), { force: true });
    }
    return left;
  }

  async #write(name: string, content: string | Uint8Array): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: OWNER_ONLY });
    await writeWhole(join(this.folder, name), content);
  }
}

/** What packages' bytes are kept under: their SHA-256, 64 hex digits. */
export function packagesName(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
