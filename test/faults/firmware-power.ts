import { copyFileSync } from "node:fs";
import {
  type FlashControl,
  type PowerPlan,
  planPower,
  readControl,
  writeFactoryFlash,
} from "../end-to-end/updatable-made.ts";
import type { VersionedPackage } from "../end-to-end/update-package.ts";
import { PowerFailed, UpdatedBoard } from "../end-to-end/updated-board.ts";

/** What power does to an update. */
export interface PowerRun {
  /** As the board has it at the end. */
  readonly control: FlashControl;
  readonly runningVersion: number;
  readonly runningSlot: number;
  /** Boots that spoke. */
  readonly boots: number;
  /** Updates that had to be begun anew, as what was tried was not confirmed in three boots. */
  readonly again: number;
  /** Times that QEMU was killed. */
  readonly kills: number;
  /** Messages about updates, in both directions, of the last start of QEMU. */
  readonly messages: number;
}

/** A board of the mps2 family whose power fails during updates. */
export interface PowerRig {
  readonly elf: string;
  /** A file: the flash of a board that has booted once. */
  readonly factory: string;
}

const BOARD = "mps2-an386";
/** Not confirmed in time, or in three boots. */
const UNCONFIRMED = 17;
const AGAIN_MOST = 8;

/** Boot a board for the first time, and keep its flash. @param body  of slot 0 */
export async function factoryBoard(elf: string, body: Uint8Array, version: number, file: string): Promise<PowerRig> {
  writeFactoryFlash(file, { board: BOARD }, body, version);
  const board = await UpdatedBoard.start(BOARD, elf, file);
  await board.ask();
  await board.stop();
  return { elf, factory: file };
}

/**
 * Update a board whose power fails, and bring it to its end.
 *
 * @param flash  a file for it, overwritten
 * @throws {RangeError} when it does not come to an end, or to another than it should
 */
export async function updateThroughCuts(
  rig: PowerRig,
  flash: string,
  given: VersionedPackage,
  power: PowerPlan,
): Promise<PowerRun> {
  return await updateToItsEnd(rig, flash, given, power, undefined);
}

/**
 * The same, with QEMU killed at one message and started again.
 *
 * @param cutAfter  of the messages about the update in both directions, from 1
 */
export async function updateThroughKill(
  rig: PowerRig,
  flash: string,
  given: VersionedPackage,
  cutAfter: number,
): Promise<PowerRun> {
  return await updateToItsEnd(rig, flash, given, undefined, cutAfter);
}

async function updateToItsEnd(
  { elf, factory }: PowerRig,
  flash: string,
  given: VersionedPackage,
  power: PowerPlan | undefined,
  cutAfter: number | undefined,
): Promise<PowerRun> {
  copyFileSync(factory, flash);
  let [boots, again, kills] = [0, 0, 0];
  for (;;) {
    const board = await UpdatedBoard.start(BOARD, elf, flash);
    try {
      await board.ask();
      if (power !== undefined) planPower(flash, power);
      for (; ; again++) {
        const isCut = kills === 0 && cutAfter !== undefined;
        const manner = { confirmAfter: 1, isBegun: kills > 0, ...(isCut && { cutAfter }) };
        const { verdict, state } = await board.update(given, manner);
        if (verdict === null) {
          const { version, slot } = state.running;
          const control = readControl(flash);
          boots += board.boots;
          return { control, runningVersion: version, runningSlot: slot, boots, again, kills, messages: board.messages };
        }
        if (verdict !== UNCONFIRMED || again === AGAIN_MOST)
          throw new RangeError(`verdict ${verdict}: ${JSON.stringify(state)}`);
      }
    } catch (error) {
      if (!(error instanceof PowerFailed)) throw error;
      kills += 1;
      boots += board.boots;
    } finally {
      await board.stop();
    }
  }
}
