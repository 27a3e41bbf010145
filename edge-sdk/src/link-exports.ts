/** What `device.wasm` and `gateway.wasm` export for the device's side of the protocol; docstrings are beside the functions in `assembly/link*.ts`. */
export interface LinkExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  freeAddress(): number;
  codecSetChannel(c: number, e: number, lattice: number, historyShift: number): number;
  linkBegin(channels: number, frameSamples: number, silenceMs: number, mtu: number): number;
  linkMemory(ring: number, ringBytes: number, out: number, outBytes: number, messageBytes: number): number;
  linkDescribe(
    birth: number,
    room: number,
    device: number,
    deviceBytes: number,
    periodNs: bigint,
    model: number,
    firmware: number,
    firmwareBytes: number,
  ): number;
  linkChannel(
    name: number,
    nameBytes: number,
    unit: number,
    unitBytes: number,
    e: number,
    lattice: number,
    historyShift: number,
    offset: bigint,
    mantissa: number,
    exponent: number,
    epsMantissa: bigint,
    epsExponent: number,
  ): number;
  linkOpen(nonce: number, epoch: number, nowMs: number): number;
  linkRestore(nonce: number, nowMs: number): number;
  linkSample(samples: number, statuses: number, timeUs: bigint, nowMs: number): number;
  linkFlush(timeUs: bigint, nowMs: number): number;
  linkConnected(nowMs: number): void;
  linkDisconnected(): void;
  linkReceive(at: number, length: number, nowMs: number): number;
  linkPoll(timeUs: bigint, nowMs: number): number;
  linkPresence(online: number): number;
  linkWakeMs(nowMs: number): number;
  linkView(): number;
  linkDirtyClear(): void;
  /** `gateway.wasm` alone has these two. */
  linkLookaheadBytes?(effort: number): number;
  linkLookahead?(at: number, effort: number): number;
}

/** Statuses that `linkRestore` answers with where a host has a choice; the others are faults. */
export const STATUS_RING_EMPTY = -36;
export const STATUS_RING_FOREIGN = -37;
