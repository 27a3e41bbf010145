import { randomBytes } from "node:crypto";
import { loadCore, ModuleError } from "@lockstep/edge-sdk/core";
import { type FlashStateFrame, formatVersion } from "@lockstep/protocol";
import type { Clock } from "../clock.ts";
import type { Counters } from "../counters.ts";
import type { Logger } from "../logger.ts";
import type { NodeEvent, UpdateEventStep } from "../reconstructor/node-event.ts";
import type { DeviceDoor } from "./device-door.ts";
import { chooseDevices } from "./device-names.ts";
import { FlashError } from "./flash-error.ts";
import { checkDevice, type DeviceCheck } from "./preflight.ts";
import { Rollout } from "./rollout.ts";
import { StateQuestions } from "./state-questions.ts";
import type { TrustFile } from "./trust-file.ts";
import { packagesName, type UpdateFiles } from "./update-files.ts";
import { checkSignature, decodePackages, type UpdatePackage } from "./update-package.ts";
import {
  isFailure,
  isOver,
  MOST_DEVICES,
  queuedRecord,
  type RolloutRecord,
  type UpdateRecord,
  type UpdateStep,
} from "./update-record.ts";

const ID_BYTES = 8;

/** The others are told by what follows them, or of too many devices at once. */
const TOLD_STEPS: readonly UpdateEventStep[] = ["sending", "switching", "done", "failed", "reverted", "cancelled"];

/** What a desk needs of the node around it. */
export interface FlashDeskOptions {
  readonly door: DeviceDoor;
  readonly files: UpdateFiles;
  readonly trust: TrustFile;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  /** Register a module; resolves when the store has it for good. @throws {ModuleError} when it may not run as a codec */
  registerModule(wasm: Uint8Array): Promise<void>;
  emit(event: NodeEvent): void;
}

/** What is to be brought to whom. */
export interface UpdateWish {
  /** One package, or one for each slot. */
  readonly bytes: Uint8Array;
  /** Names of devices, or patterns with `*`. */
  readonly to: readonly string[];
  /** Percent, ascending; the last one 100. */
  readonly stages: readonly number[];
  readonly maxFailures: number;
  /** Leave devices out that cannot be given it, rather than refuse all. */
  readonly isSkipping: boolean;
}

/** What is in a package, and which devices can be given it. */
export interface UpdateCheck {
  readonly packages: readonly UpdatePackage[];
  readonly checks: readonly DeviceCheck[];
  /** Patterns that fit no device. */
  readonly unmatched: readonly string[];
}

/** How one device stands with updates. */
export interface DeviceUpdateView {
  readonly rollout: RolloutRecord;
  readonly update: UpdateRecord;
}

/**
 * Updates of devices: takes signed packages, checks whom they can be given to, brings them there, and remembers all of
 * it over restarts.
 */
export class FlashDesk {
  readonly #options: FlashDeskOptions;
  readonly #questions: StateQuestions;
  /** By id, oldest first. */
  readonly #records = new Map<string, RolloutRecord>();
  readonly #running = new Map<string, Rollout>();
  /** The running roll-out that holds a device. */
  readonly #byDevice = new Map<string, Rollout>();
  /** The newest roll-out that named a device. */
  readonly #newest = new Map<string, DeviceUpdateView>();
  readonly #listeners = new Set<(id: string) => void>();
  readonly #unsaved = new Set<string>();
  readonly #tally = new Map<UpdateStep, number>();
  /** Roll-outs that are about to begin: their packages are needed, and their devices taken. */
  readonly #starting = new Set<{ readonly packages: string; devices: readonly string[] }>();
  #saving: Promise<void> | undefined;
  #forgetting: Promise<RolloutRecord[]> = Promise.resolve([]);
  #isClosed = false;

  constructor(options: FlashDeskOptions) {
    this.#options = options;
    this.#questions = new StateQuestions(options.door, options.clock);
  }

  /** Go on with what was under way when the last node ended. */
  async resume(): Promise<void> {
    const { files, logger, counters } = this.#options;
    const { rollouts, damaged } = await files.load();
    for (const path of damaged) {
      counters.add("flash.damaged-record");
      logger.error({ path }, "no roll-out of this release; left as it is");
    }
    for (const record of await files.prune(rollouts, () => false)) {
      this.#remember(record);
      if (record.state !== "running") continue;
      const bytes = await files.packages(record.packages);
      if (bytes === undefined) {
        this.#abandon(record);
        continue;
      }
      this.#run(record, decodePackages(bytes));
    }
  }

  /** All roll-outs that are remembered, newest first. */
  list(): RolloutRecord[] {
    return [...this.#records.values()].reverse();
  }

  /** @throws {FlashError} `unknown-update` */
  get(id: string): RolloutRecord {
    const record = this.#records.get(id);
    if (record !== undefined) return record;
    throw new FlashError("unknown-update", `no update ${id} is remembered here`, "see /api/v1/updates");
  }

  /** The newest update of a device; undefined where there was none. */
  of(device: string): DeviceUpdateView | undefined {
    return this.#newest.get(device);
  }

  /** Updates of single devices that ended so since the node started. */
  tally(): ReadonlyMap<UpdateStep, number> {
    return this.#tally;
  }

  /** Hear that a roll-out changed. @returns ends it */
  onChange(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ask a device where it stands; undefined where it does not answer within some seconds. */
  ask(device: string): Promise<FlashStateFrame | undefined> {
    return this.#questions.ask(device);
  }

  /**
   * Check a package, and everybody that it is for. Nothing is kept, and devices are asked and not told anything.
   *
   * @throws {FlashError} `bad-package`, `bad-digest`, `unknown-key`, `bad-signature`, `module-refused`, `bad-key`
   */
  async check({ bytes, to }: Pick<UpdateWish, "bytes" | "to">): Promise<UpdateCheck> {
    const { trust, door } = this.#options;
    const packages = decodePackages(bytes);
    const trusted = await trust.read();
    for (const one of packages) checkSignature(one, trusted);
    const [{ module } = { module: new Uint8Array() }] = packages;
    try {
      loadCore(module);
    } catch (cause) {
      if (!(cause instanceof ModuleError)) throw cause;
      throw new FlashError("module-refused", `the module may not run (${cause.message})`, "build it anew", { cause });
    }
    const { devices, unmatched } = chooseDevices(to, door.devices());
    if (devices.length > MOST_DEVICES) {
      throw new FlashError("bad-order", `${devices.length} devices`, `give at most ${MOST_DEVICES} at once`);
    }
    const checks = await Promise.all(
      devices.map(async (device) => {
        const boot = door.boot(device);
        const isUnderWay = this.#isUnderWay(device);
        const state = boot?.isOnline === true && !isUnderWay ? await this.ask(device) : undefined;
        return checkDevice(device, packages, boot, state, isUnderWay);
      }),
    );
    return { packages, checks, unmatched };
  }

  /**
   * Check a package and begin to bring it to devices; what is under way then goes on by itself.
   *
   * @returns with `rollout` undefined where somebody cannot be given it: then nothing was begun
   * @throws {FlashError} as `check`; `bad-order` for stages that do not ascend to 100
   */
  async start(wish: UpdateWish): Promise<UpdateCheck & { readonly rollout: RolloutRecord | undefined }> {
    checkStages(wish.stages);
    const check = await this.check(wish);
    const fit = check.checks.filter(({ refusals }) => refusals.length === 0);
    const isFit = wish.isSkipping || (fit.length === check.checks.length && check.unmatched.length === 0);
    const [first] = check.packages;
    if (!isFit || fit.length === 0 || first === undefined) return { ...check, rollout: undefined };
    const { files, registerModule } = this.#options;
    // A device is decoded with the module that its birth names: the node has it before anyone can switch to it.
    await registerModule(new Uint8Array(first.module));
    const packages = packagesName(wish.bytes);
    const starting = { packages, devices: [] as readonly string[] };
    this.#starting.add(starting);
    try {
      await this.#forgetting;
      await files.savePackages(packages, wish.bytes);
      const record = this.#record(
        wish,
        first,
        packages,
        fit.map(({ device }) => device),
      );
      starting.devices = record.devices.map(({ device }) => device);
      await files.saveRollout(record);
      if (this.#isClosed) throw new FlashError("closed", "the node is shutting down", "start it when it is back");
      this.#remember(record);
      this.#run(record, check.packages);
      return { ...check, rollout: record };
    } finally {
      this.#starting.delete(starting);
    }
  }

  /** Call a roll-out off. @throws {FlashError} `unknown-update`, `update-over` */
  cancel(id: string): RolloutRecord {
    const record = this.get(id);
    const rollout = this.#running.get(id);
    if (rollout === undefined) {
      throw new FlashError("update-over", `update ${id} is over (${record.state})`, "there is nothing to call off");
    }
    rollout.cancel();
    return record;
  }

  /** A device says where it stands: the only frame that it may send here. */
  heard(device: string, state: FlashStateFrame): void {
    const isAnswer = this.#questions.answered(device, state);
    const rollout = this.#byDevice.get(device);
    if (rollout !== undefined) rollout.heard(device, state);
    else if (!isAnswer) this.#options.counters.add("flash.unasked");
  }

  /** Take note of what the node tells. */
  observe(event: NodeEvent): void {
    if (!("device" in event)) return;
    const rollout = this.#byDevice.get(event.device);
    if (rollout === undefined) return;
    if (event.kind === "confirmed") rollout.confirmed(event.device);
    else if (event.kind === "born" || event.kind === "online") rollout.connected(event.device);
    else if (event.kind === "offline") rollout.disconnected(event.device);
  }

  /** Stop where things are; the next node goes on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#questions.close();
    for (const rollout of this.#running.values()) rollout.close();
    await this.#saving;
  }

  #isUnderWay(device: string): boolean {
    return this.#byDevice.get(device)?.holds(device) === true;
  }

  #record(wish: UpdateWish, { manifest, keyId }: UpdatePackage, packages: string, devices: string[]): RolloutRecord {
    const { model, form, target } = manifest;
    const taken = new Set([...this.#starting].flatMap((starting) => starting.devices));
    const busy = devices.find((device) => taken.has(device) || this.#isUnderWay(device));
    if (busy !== undefined) {
      throw new FlashError("busy", `another update of ${busy} was begun just now`, "wait, or cancel that one");
    }
    return {
      format: 1,
      id: randomBytes(ID_BYTES).toString("hex"),
      createdUs: this.#options.clock.unixUs(),
      endedUs: null,
      state: "running",
      version: formatVersion(manifest.version),
      model,
      form,
      target,
      keyId,
      packages,
      stages: [...wish.stages],
      maxFailures: wish.maxFailures,
      devices: devices.map(queuedRecord),
    };
  }

  #remember(record: RolloutRecord): void {
    this.#records.set(record.id, record);
    for (const update of record.devices) this.#newest.set(update.device, { rollout: record, update });
  }

  #run(record: RolloutRecord, packages: readonly UpdatePackage[]): void {
    const { door, clock } = this.#options;
    const rollout = new Rollout({
      record,
      packages,
      door,
      clock,
      stepped: (update) => this.#stepped(record, update),
      progressed: () => this.#changed(record.id),
    });
    this.#running.set(record.id, rollout);
    for (const { device, step } of record.devices) if (!isOver(step)) this.#byDevice.set(device, rollout);
    rollout.start();
  }

  /** Its packages are gone with a disk: nothing of it can go on. */
  #abandon(record: RolloutRecord): void {
    const endedUs = this.#options.clock.unixUs();
    for (const update of record.devices.filter(({ step }) => !isOver(step))) {
      const reason = "the package is damaged on the node's disk: start the update again";
      Object.assign(update, { step: "failed", verdict: "package-lost", reason, endedUs });
    }
    Object.assign(record, { state: "stopped", endedUs });
    this.#save(record.id);
  }

  #stepped(record: RolloutRecord, update: UpdateRecord | undefined): void {
    if (update === undefined) {
      this.#running.delete(record.id);
    } else {
      const { device, step, reason } = update;
      if (isOver(step)) {
        this.#byDevice.delete(device);
        this.#tally.set(step, (this.#tally.get(step) ?? 0) + 1);
      }
      const told = TOLD_STEPS.find((one) => one === step);
      if (told !== undefined) {
        this.#options.emit({ kind: "update", device, step: told, version: record.version, reason });
      }
      if (isFailure(step)) this.#options.logger.warn({ device, update: record.id, verdict: update.verdict }, reason);
    }
    this.#save(record.id);
    this.#changed(record.id);
  }

  #changed(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }

  /** Soon, and once for all steps that come together. */
  #save(id: string): void {
    this.#unsaved.add(id);
    this.#saving ??= this.#saveAll().finally(() => {
      this.#saving = undefined;
    });
  }

  async #saveAll(): Promise<void> {
    const { files, logger, counters } = this.#options;
    while (this.#unsaved.size > 0) {
      const [id = ""] = this.#unsaved;
      this.#unsaved.delete(id);
      const record = this.#records.get(id);
      if (record === undefined) continue;
      await files.saveRollout(record).catch((error: unknown) => {
        // What a device says of itself is enough to go on from: only what people are told of it would be old.
        counters.add("flash.unsaved");
        logger.error({ id, detail: String(error) }, "an update's state could not be written");
      });
      if (record.state !== "running") await this.#forget();
    }
  }

  /** What is too old, and packages that nobody needs any more. Others may begin meanwhile. */
  async #forget(): Promise<void> {
    const { files, logger } = this.#options;
    const before = [...this.#records.values()];
    this.#forgetting = files
      .prune(before, (name) => this.#isNeeded(name))
      .catch((error: unknown) => {
        logger.error({ detail: String(error) }, "old updates could not be deleted");
        return before;
      });
    const left = new Set(await this.#forgetting);
    for (const record of before) if (!left.has(record)) this.#records.delete(record.id);
  }

  #isNeeded(packages: string): boolean {
    if ([...this.#starting].some((starting) => starting.packages === packages)) return true;
    return [...this.#running.values()].some(({ record }) => record.packages === packages);
  }
}

function checkStages(stages: readonly number[]): void {
  const isAscending = stages.every((percent, i) => percent > (stages[i - 1] ?? 0) && percent <= 100);
  if (isAscending && stages.at(-1) === 100) return;
  throw new FlashError("bad-order", `stages ${stages.join(",")}`, "give percents that ascend to 100, as 10,50,100");
}
