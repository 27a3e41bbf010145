/**
 * Why a frame in the name of a device that has a key is not believed: `no-mac`, it has none · `bad-mac`, it is another's, or of
 * another boot · `replayed-birth`, `replayed-status`: of a boot that is over.
 *
 * @see protocol/SPEC.md, section 9.2
 */
export type SealRefusal = "no-mac" | "bad-mac" | "replayed-birth" | "replayed-status";
