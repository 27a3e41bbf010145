import { appendFileSync, closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { Transport } from "@lockstep/edge-sdk";
import { decodeFrame, FrameError } from "@lockstep/protocol";

/**
 * What devices were promised, and what they had to give, written down as it happens by the process that is about to be
 * killed. One line each, appended with one write: what was written before a kill -9 is there after it.
 *
 *     b DEVICE FIRST ADOPTED   a boot: number of its first sample, frames found in the ring file
 *     a DEVICE EPOCH THROUGH   an ack or a welcome came: frames of the epoch below `through` are confirmed
 *     f DEVICE NEXT            the boot's samples below `next` are in frames in the ring file, or were
 */
export class AckJournal {
  readonly #descriptor: number;

  constructor(file: string) {
    this.#descriptor = openSync(file, "a");
  }

  booted(device: string, firstSample: number, adoptedFrames: number): void {
    this.#line(`b ${device} ${firstSample} ${adoptedFrames}`);
  }

  framed(device: string, nextSample: number): void {
    this.#line(`f ${device} ${nextSample}`);
  }

  /** A transport that writes down every ack before the session hears it. */
  watch(device: string, inner: Transport): Transport {
    return {
      open: (events, will) =>
        inner.open(
          {
            connected: () => events.connected(),
            disconnected: (reason) => events.disconnected(reason),
            drained: () => events.drained(),
            message: (bytes) => {
              const through = confirmedBy(bytes);
              if (through !== undefined) this.#line(`a ${device} ${through.epoch} ${through.through}`);
              events.message(bytes);
            },
          },
          will,
        ),
      send: (topic, bytes) => inner.send(topic, bytes),
      useAlias: (alias) => inner.useAlias(alias),
      close: () => inner.close(),
      destroy: () => inner.destroy(),
    };
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #line(text: string): void {
    writeSync(this.#descriptor, `${text}\n`);
  }
}

/** Samples of one boot that reached the ring: [from, to). */
export interface FramedRange {
  readonly from: number;
  readonly to: number;
}

/** One device's account. */
export interface DeviceAccount {
  /** By epoch: frames below this were confirmed to the device. */
  readonly confirmed: ReadonlyMap<number, number>;
  readonly framed: readonly FramedRange[];
  /** Frames found in the ring file, boot by boot. */
  readonly adopted: readonly number[];
}

interface GrowingAccount {
  readonly confirmed: Map<number, number>;
  readonly framed: { readonly from: number; to: number }[];
  readonly adopted: number[];
}

/** Read a journal; a last line that a kill cut short is left out. */
export function readJournal(file: string): ReadonlyMap<string, DeviceAccount> {
  const accounts = new Map<string, GrowingAccount>();
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  for (const line of lines) {
    const [kind = "", device = "", first = "", second = ""] = line.split(" ");
    const account: GrowingAccount = accounts.get(device) ?? { confirmed: new Map(), framed: [], adopted: [] };
    accounts.set(device, account);
    const running = account.framed.at(-1);
    if (kind === "b") {
      account.framed.push({ from: Number(first), to: Number(first) });
      account.adopted.push(Number(second));
    } else if (kind === "f" && running !== undefined) {
      running.to = Number(first);
    } else if (kind === "a") {
      const epoch = Number(first);
      account.confirmed.set(epoch, Math.max(account.confirmed.get(epoch) ?? 0, Number(second)));
    }
  }
  return accounts;
}

/** Make an empty journal, so that it can be read whatever happens. */
export function createJournal(file: string): void {
  appendFileSync(file, "");
}

function confirmedBy(bytes: Uint8Array): { readonly epoch: number; readonly through: number } | undefined {
  try {
    const frame = decodeFrame(bytes);
    return frame.kind === "ack" || frame.kind === "welcome" ? frame : undefined;
  } catch (error) {
    if (error instanceof FrameError) return undefined;
    throw error;
  }
}
