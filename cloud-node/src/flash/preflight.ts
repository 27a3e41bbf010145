import { type FlashStateFrame, formatVersion } from "@lockstep/protocol";
import type { DeviceBoot } from "./device-door.ts";
import { fitsBeside, type UpdatePackage } from "./update-package.ts";

/** Why a device is not given a package; each is known before anything is sent. */
export const REFUSAL_CODES = [
  "unknown-device",
  "offline",
  "busy",
  "not-updatable",
  "wrong-target",
  "wrong-abi",
  "wrong-slot",
  "unknown-key",
  "version-goes-back",
  "too-long",
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** One reason, in words: what is so, and what to do. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly text: string;
}

/** What was found out about one device. */
export interface DeviceCheck {
  readonly device: string;
  /** Empty: it can be given the package. */
  readonly refusals: readonly Refusal[];
  /**
   * Whether it runs this version, form and model, confirmed: nothing will be sent. Of an image that is all that a device
   * says, so one of other bytes needs a higher version.
   */
  readonly isCurrent: boolean;
  /** What it said; undefined where it said nothing. */
  readonly state: FlashStateFrame | undefined;
}

/** Compare a package with what a device says of itself. @param state  undefined: it did not answer */
export function checkDevice(
  device: string,
  packages: readonly UpdatePackage[],
  boot: DeviceBoot | undefined,
  state: FlashStateFrame | undefined,
  isUnderWay: boolean,
): DeviceCheck {
  const refuse = (...refusals: Refusal[]): DeviceCheck => ({ device, refusals, isCurrent: false, state });
  if (boot === undefined) {
    return refuse({ code: "unknown-device", text: "no such device was ever born here: see `lockstep devices list`" });
  }
  if (isUnderWay) {
    return refuse({ code: "busy", text: "another update of it is under way: wait, or cancel that one" });
  }
  if (!boot.isOnline) return refuse({ code: "offline", text: "it is offline: try again when it is back" });
  if (state === undefined) {
    const text = "it does not answer: its firmware has no updater, or is older than updates";
    return refuse({ code: "not-updatable", text });
  }
  const [first] = packages;
  if (first === undefined) return refuse();
  const { manifest, algorithm, keyId } = first;
  const { running } = state;
  const isSame = packages.some(({ manifest: { model, form } }) => model === running.model && form === running.form);
  const isCurrent = isSame && running.version === manifest.version && state.confirmedVersion >= manifest.version;
  const found: (Refusal | undefined)[] = [
    unless(state.phase !== "trying", "busy", () => "it is trying another package: wait until that is over"),
    unless(state.target === manifest.target, "wrong-target", () => {
      return `the package is for ${manifest.target}, and this is ${state.target}: build it for that`;
    }),
    unless(state.abi === manifest.abi, "wrong-abi", () => {
      return `the package needs ABI ${manifest.abi}, and it has ${state.abi}: give a package of its release`;
    }),
    unless(
      packages.some((one) => fitsBeside(one.manifest, running.slot)),
      "wrong-slot",
      () => {
        return `slot ${running.slot} runs, so the image for slot ${1 - running.slot} is needed: give both`;
      },
    ),
    unless(
      state.keys.some((key) => key.algorithm === algorithm && key.id === keyId),
      "unknown-key",
      () => {
        return `it does not trust key ${keyId}, but ${state.keys.map(({ id }) => id).join(", ")}: sign with one of those`;
      },
    ),
    unless(isForward(state, manifest.version, isSame), "version-goes-back", () => {
      const confirmed = formatVersion(state.confirmedVersion);
      const given = `${formatVersion(manifest.version)}${manifest.version < state.confirmedVersion ? "" : " with other bytes"}`;
      return `it has confirmed ${confirmed}, and this is ${given}: give a higher --version`;
    }),
    unless(
      packages.every(({ body }) => body.length <= state.slotBytes),
      "too-long",
      () => {
        const longest = Math.max(...packages.map(({ body }) => body.length));
        return `the body has ${longest} bytes, and its slot takes ${state.slotBytes}: make it smaller`;
      },
    ),
  ];
  const refusals = isCurrent ? [] : found.filter((refusal) => refusal !== undefined);
  return { device, refusals, isCurrent, state };
}

/** A version may be confirmed again for the very same bytes; of an image's the device alone can tell. */
function isForward(state: FlashStateFrame, version: number, isSame: boolean): boolean {
  return version > state.confirmedVersion || (version === state.confirmedVersion && isSame);
}

function unless(isFit: boolean, code: RefusalCode, text: () => string): Refusal | undefined {
  return isFit ? undefined : { code, text: text() };
}
