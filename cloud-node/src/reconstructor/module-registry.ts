import { createHash } from "node:crypto";
import { type Core, loadCore } from "@lockstep/edge-sdk/core";
import { InvariantError } from "../invariant-error.ts";
import type { StoredModule } from "../store/store.ts";

/** A module as an operator sees it. */
export interface ModuleFacts {
  /** SHA-256, 64 hex digits: what births name it by. */
  readonly hash: string;
  readonly bytes: number;
  /** Who brought it: this release, or an operator who registered it, now or earlier. */
  readonly source: ModuleSource;
}

export type ModuleSource = "release" | "operator";

/**
 * The codec modules that this node decodes with, by SHA-256: those of releases, and those that an operator registered.
 * None ever comes from a device.
 */
export class ModuleRegistry {
  readonly #wasm = new Map<string, Uint8Array>();
  readonly #cores = new Map<string, Core>();
  readonly #operators = new Set<string>();
  /** Those that are in the store, or on their way. */
  readonly #kept = new Set<string>();

  /** Add a module; it is checked and compiled when a birth first names it. @returns its hash, 64 hex digits */
  add(wasm: Uint8Array): string {
    const hash = createHash("sha256").update(wasm).digest("hex");
    this.#wasm.set(hash, wasm);
    return hash;
  }

  /** Add what an operator registers now. @throws {ModuleError} when the bytes may not run as a codec */
  addChecked(wasm: Uint8Array): string {
    const isNew = !this.has(createHash("sha256").update(wasm).digest("hex"));
    const hash = this.add(wasm);
    this.get(hash);
    if (isNew) this.#operators.add(hash);
    return hash;
  }

  /** Add what an operator registered earlier. @throws {InvariantError} when the bytes are not those of the hash */
  addStored({ hash, wasm, source }: StoredModule): void {
    if (!this.has(hash) && source === "operator") this.#operators.add(hash);
    if (this.add(wasm) !== hash) throw new InvariantError(`the stored bytes of module ${hash} have another hash`);
    this.#kept.add(hash);
  }

  /** The bytes of a module that the store has not been given yet; given out once. */
  unkept(hash: string): Uint8Array | undefined {
    if (this.#kept.has(hash)) return undefined;
    this.#kept.add(hash);
    return this.bytesOf(hash);
  }

  /** All of them, by hash. */
  all(): ModuleFacts[] {
    return [...this.#wasm]
      .map(
        ([hash, wasm]): ModuleFacts => ({
          hash,
          bytes: wasm.length,
          source: this.#operators.has(hash) ? "operator" : "release",
        }),
      )
      .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  }

  has(hash: string): boolean {
    return this.#wasm.has(hash);
  }

  /** The bytes of a module. @throws {InvariantError} when there is no such module */
  bytesOf(hash: string): Uint8Array {
    const wasm = this.#wasm.get(hash);
    if (wasm === undefined) throw new InvariantError(`no module ${hash}`);
    return wasm;
  }

  /**
   * The running module, shared by all twins of its devices.
   *
   * @throws {ModuleError} when the bytes may not run as a codec
   * @throws {InvariantError} when there is no such module
   */
  get(hash: string): Core {
    const running = this.#cores.get(hash);
    if (running !== undefined) return running;
    const core = loadCore(this.bytesOf(hash));
    this.#cores.set(hash, core);
    return core;
  }
}
