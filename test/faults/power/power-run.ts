import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type SeededRandom, seededRandom } from "@lockstep/sim";
import { ProcessError } from "../child-process.ts";
import { Disk, POWER_LOSSES, type PowerLoss } from "./disk-image.ts";
import { buildDiskJournal, type DiskOperation, journaledEnvironment, readDiskJournal } from "./disk-journal.ts";
import { MARKS, type PowerRunOrder } from "./power-run-order.ts";

const HOST = fileURLToPath(new URL("power-host.ts", import.meta.url));

/** A run that ended well, and all that its disk was told. */
export interface PowerRun {
  readonly seed: number;
  /** The files as they were at the end. */
  readonly folder: string;
  /** Those of the store and of the rings. */
  readonly operations: readonly DiskOperation[];
  /** Shape (operations + 1): what had been promised before each of them, and at the end. */
  readonly marks: readonly Buffer[];
}

/**
 * Run a node and its devices once, and write down what they do to their files.
 *
 * @param folder  for everything; the caller removes it
 * @throws {ProcessError} when the run does not end well
 */
export async function recordRun(folder: string, order: Omit<PowerRunOrder, "folder">): Promise<PowerRun> {
  const files = join(folder, "files");
  const journal = join(folder, "disk-journal");
  mkdirSync(files);
  const library = buildDiskJournal(folder);
  const host = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", HOST, JSON.stringify({ ...order, folder: files })],
    { env: journaledEnvironment(library, files, journal), stdio: ["ignore", "ignore", "pipe"] },
  );
  const errors: Buffer[] = [];
  host.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const [code] = await once(host, "exit");
  if (code !== 0) {
    throw new ProcessError("ended", { name: "power-host.ts", detail: `${code}: ${Buffer.concat(errors)}` });
  }
  return { seed: order.seed, folder: files, ...divide(readDiskJournal(journal)) };
}

/** What was promised, apart from what the disk was told. */
function divide(all: readonly DiskOperation[]): Pick<PowerRun, "operations" | "marks"> {
  const operations: DiskOperation[] = [];
  const marks: Buffer[] = [];
  let promised = Buffer.alloc(0);
  for (const operation of all) {
    if (operation.path !== MARKS) {
      operations.push(operation);
      marks.push(promised);
    } else if (operation.kind === "written") promised = Buffer.concat([promised, operation.bytes]);
  }
  return { operations, marks: [...marks, promised] };
}

/** A power cut: after so many operations, with this much of what was not synchronized. */
export interface PowerCut {
  readonly after: number;
  readonly loss: PowerLoss;
  readonly seed: number;
}

/** What a power cut leaves, and what had been promised by then. */
export interface CutDisk extends PowerCut {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly marks: Buffer;
}

/**
 * Every power cut that leaves something else than the one before it: after each operation, with each kind of loss, and
 * where that is left to chance with each seed.
 */
export function allCuts({ operations }: PowerRun, seeds: readonly number[]): PowerCut[] {
  const cuts: PowerCut[] = [];
  const disk = new Disk();
  for (let after = 0; after <= operations.length; after += 1) {
    const last = operations[after - 1];
    if (last !== undefined) disk.apply(last);
    for (const loss of POWER_LOSSES) {
      // None of it is left: that changes only when something is synchronized.
      if (loss === "none" && after > 0 && last?.kind !== "synced") continue;
      const isChance = loss === "some" || loss === "torn";
      if (isChance && disk.atStake === 0) continue;
      for (const seed of isChance ? seeds : seeds.slice(0, 1)) cuts.push({ after, loss, seed });
    }
  }
  return cuts;
}

/** So many of them at most, evenly spread, beginning with one of the first by chance. */
export function someCuts(all: readonly PowerCut[], most: number, random: SeededRandom): PowerCut[] {
  if (all.length <= most) return [...all];
  const shift = random.uniform();
  return Array.from({ length: most }, (_, i) => all[Math.floor(((i + shift) * all.length) / most)]).filter(
    (cut) => cut !== undefined,
  );
}

/**
 * The disks that power cuts leave, in the order of a run.
 *
 * @param cuts  in the order of `allCuts`
 * @param obeysSyncs  false for a disk that says it had kept what it has not
 */
export function* cutDisks(run: PowerRun, cuts: readonly PowerCut[], obeysSyncs = true): Generator<CutDisk> {
  const disk = new Disk({ obeysSyncs });
  let applied = 0;
  for (const cut of cuts) {
    for (; applied < cut.after; applied += 1) {
      const operation = run.operations[applied];
      if (operation !== undefined) disk.apply(operation);
    }
    const random = seededRandom(cut.seed).fork(`${cut.loss} after ${cut.after}`);
    yield { ...cut, files: disk.lose(cut.loss, random), marks: run.marks[cut.after] ?? Buffer.alloc(0) };
  }
}
