import { FLASH_VERDICTS, type FlashVerdict } from "@lockstep/protocol";

/** What each verdict of a device means to a person, and what to do. */
const TEXTS: Readonly<Record<FlashVerdict, string>> = {
  none: "it gave no reason",
  "bad-manifest": "it cannot read the package's manifest: is its updater older than this release?",
  "unknown-key": "it does not trust the key that signed: sign with one that it was built with",
  "bad-signature": "the signature does not fit: sign the package again",
  "version-goes-back": "it has confirmed a newer version: give a higher one",
  "wrong-target": "the package was made for another kind of device",
  "wrong-abi": "the package needs another updater than it has",
  "wrong-slot": "the image was linked for the slot that runs now: send the one for the other",
  "too-long": "the body is longer than its slot",
  "too-much-memory": "the module needs more memory than it has",
  "flash-failed": "its flash could not be written: it may be worn out",
  "bad-chunk": "a chunk read back from its flash was not what was sent",
  "bad-digest": "what arrived in its flash is not the body that was signed",
  "module-refused": "its interpreter refused the module",
  "self-test-differs": "the module computed something else on it than here, so it is not used",
  trapped: "the new one trapped, so it went back to the old one",
  watchdog: "the new one hung, so it went back to the old one",
  "not-confirmed": "the new one was not confirmed in time, so it went back to the old one",
  aborted: "the update was called off",
  busy: "it is trying another package: wait until that one is over",
  "wrong-order": "it lost its place in the update: start it again",
};

/** A verdict of a device by name; devices of a later release may know more of them. */
export function verdictName(verdict: number): string {
  return FLASH_VERDICTS[verdict] ?? `verdict-${verdict}`;
}

/**
 * Why a device refused an update or went back, in plain words.
 *
 * @param detail  u32, what the verdict's table in SPEC.md says; 0: none
 */
export function verdictText(verdict: number, detail: number): string {
  const name = FLASH_VERDICTS[verdict];
  const text = name === undefined ? "a reason that this release does not know" : TEXTS[name];
  return detail === 0 ? text : `${text} (detail ${detail})`;
}
