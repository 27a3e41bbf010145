import { fileVersion } from "../owner-file.ts";
import { AccessError } from "./access-error.ts";
import { type BookDevice, changeBookFile, DEVICE_NAME, readBookFile } from "./device-book-file.ts";
import { brokerHash, hashSecret, isSecret } from "./device-secret.ts";
import { randomSecret } from "./random-secret.ts";
import type { Speakers } from "./speaker-gate.ts";

/** Beside the store. */
const SUFFIX = ".devices";
/** No device has the name of the node itself at a foreign broker. */
export const NODE_USER = "lockstep-node";

/** What a device is given, once: the book keeps no secret that could be told again but the key of its MACs. */
export interface DeviceCredentials {
  readonly id: string;
  /** 32 random bytes in base64url: its password over MQTT. */
  readonly secret: string;
  /** 32 random bytes in base64url; null for a device without MACs. */
  readonly macKey: string | null;
}

/** What a device is to be given, and for what. */
export interface AddedDevice {
  readonly hasMac: boolean;
  /** It may hand jobs in, and end them; not unless given. */
  readonly mayUseJobs?: boolean;
  /** ISO 8601. */
  readonly added: string;
}

/** Whether somebody may speak, and as whom. */
export interface KnownDevices extends Speakers {
  /** Whether a device may speak, and this is its secret. */
  admits(id: string, secret: string): boolean;
  /** Take what the file has by now. */
  refresh(): void;
}

/**
 * The devices that may speak to a node, in a file beside its store. While none was ever added everybody may.
 *
 * The file is looked at again before anybody is admitted, and by `refresh`: what a command adds or revokes holds for a node
 * that is running. A file that cannot be read any more, or is gone, changes nothing: nobody is let in by its loss.
 */
export class DeviceBook implements KnownDevices {
  readonly file: string;
  readonly #listeners = new Set<() => void>();
  readonly #onProblem: (problem: AccessError) => void;
  #version = "";
  #devices: ReadonlyMap<string, BookDevice> = new Map();

  /**
   * Open the book of a store.
   *
   * @param onProblem  told, once for each version of the file, that it cannot be read any more
   * @throws {AccessError} `bad-device-book`, `device-book-open`
   */
  constructor(storeFile: string, onProblem: (problem: AccessError) => void = () => {}) {
    this.file = `${storeFile}${SUFFIX}`;
    this.#onProblem = onProblem;
    this.#version = fileVersion(this.file);
    this.#devices = this.#read();
  }

  get isOpen(): boolean {
    return this.#devices.size === 0;
  }

  /** Every device that was ever added, revoked ones among them, by name. */
  list(): BookDevice[] {
    return [...this.#devices.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  grantOf(id: string): string | undefined {
    const device = this.#devices.get(id);
    return device?.revoked === null ? device.secretHash : undefined;
  }

  mayUseJobs(id: string): boolean {
    const device = this.#devices.get(id);
    return device?.revoked === null && device.mayUseJobs;
  }

  admits(id: string, secret: string): boolean {
    this.refresh();
    const device = this.#devices.get(id);
    return device !== undefined && isSecret(secret, device.secretHash) && device.revoked === null;
  }

  /** The key of a device's MACs, 32 bytes; undefined for one that has none. That of a revoked one proves its last word. */
  macKeyOf(id: string): Uint8Array | undefined {
    const { macKey = null } = this.#devices.get(id) ?? {};
    return macKey === null ? undefined : new Uint8Array(Buffer.from(macKey, "base64url"));
  }

  /** Names of the devices that may speak, and whose frames have MACs. */
  devices(): string[] {
    return this.list().flatMap(({ id, macKey, revoked }) => (macKey !== null && revoked === null ? [id] : []));
  }

  /** Hear that somebody may speak, or may not any more. @returns ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  refresh(): void {
    const version = fileVersion(this.file);
    if (version === this.#version) return;
    this.#version = version;
    try {
      const devices = this.#read();
      if (devices.size === 0 && !this.isOpen) {
        const remedy = "bring it back from a copy: what it said holds until the node ends";
        throw new AccessError("bad-device-book", `${this.file} is gone, or empty`, remedy);
      }
      this.#devices = devices;
    } catch (error) {
      if (error instanceof AccessError) this.#onProblem(error);
      else {
        const remedy = "let the user of the node read it: what it said before holds until then";
        this.#onProblem(new AccessError("bad-device-book", `${this.file} cannot be read`, remedy, { cause: error }));
      }
      return;
    }
    for (const listener of this.#listeners) listener();
  }

  /**
   * Let a device speak: written once this resolves.
   *
   * @throws {AccessError} `bad-device-id`, `device-exists`, `device-book-busy`
   */
  async add(id: string, { hasMac, mayUseJobs = false, added }: AddedDevice): Promise<DeviceCredentials> {
    if (!DEVICE_NAME.test(id) || id === NODE_USER) {
      const remedy = `write 1 to 64 letters, digits, _ or -, and not ${NODE_USER}`;
      throw new AccessError("bad-device-id", `"${id}" is no name of a device`, remedy);
    }
    const secret = randomSecret();
    const macKey = hasMac ? randomSecret() : null;
    await this.#change((devices) => {
      if (devices.get(id)?.revoked === null) {
        throw new AccessError("device-exists", `${id} was added before`, `revoke it first, for another secret`);
      }
      const hashes = { secretHash: hashSecret(secret), brokerHash: brokerHash(secret) };
      devices.set(id, { id, ...hashes, macKey, mayUseJobs, added, revoked: null });
    });
    return { id, secret, macKey };
  }

  /**
   * Let a device speak no more: written once this resolves.
   *
   * @param revoked  ISO 8601
   * @throws {AccessError} `unknown-device`, `device-book-busy`
   */
  async revoke(id: string, revoked: string): Promise<void> {
    await this.#change((devices) => {
      const device = devices.get(id);
      if (device === undefined || device.revoked !== null) {
        const problem = device === undefined ? `${this.file} has no device ${id}` : `${id} was revoked before`;
        throw new AccessError("unknown-device", problem, "see `lockstep devices list`");
      }
      devices.set(id, { ...device, revoked });
    });
  }

  async #change(change: (devices: Map<string, BookDevice>) => void): Promise<void> {
    await changeBookFile(this.file, (devices) => {
      const changed = byName(devices);
      change(changed);
      return changed.values();
    });
    this.refresh();
  }

  #read(): ReadonlyMap<string, BookDevice> {
    return byName(readBookFile(this.file));
  }
}

function byName(devices: readonly BookDevice[]): Map<string, BookDevice> {
  return new Map(devices.map((device) => [device.id, device]));
}
