import { FLASH_VERDICTS } from "@lockstep/protocol";
import { type UpdatableBuild, UpdatableExample } from "../end-to-end/updatable-made.ts";
import { imagePackage, modulePackage } from "../end-to-end/update-package.ts";
import type { UpdatedBoard } from "../end-to-end/updated-board.ts";
import type { WrongImage } from "./wrong-modules.ts";

/** As many of the new epoch as a cloud waits for: what goes wrong before is never confirmed. */
const CONFIRM_AFTER = 8;
/** A self-test that nothing passes. */
const NO_TEST = { channels: 2, samples: 24, seed: 77, digest: "00".repeat(32) };

/** What an image is changed into so that it hangs or stops: a source, and a line of it. */
const SPOILT = [
  [
    "a sample without an end",
    "watchdog",
    "../rotor-twin/rotor.c",
    "void rotor_sample(uint32_t t, int32_t *samples) {",
    "  volatile uint32_t now = t;\n  while (now >= 30) {\n  }",
  ],
  [
    "a start without an end",
    "watchdog",
    "image-main.c",
    "  const slot_area *area = board_slots();\n  board_start();",
    "  while (area != NULL) {\n  }",
  ],
  [
    "a fault of the processor in sample 5",
    "trapped",
    "../rotor-twin/rotor.c",
    "void rotor_sample(uint32_t t, int32_t *samples) {",
    "  if (t == 4) *(volatile uint32_t *)0xF0000000u = t;",
  ],
] as const;

/** An image for each slot, and what is built from the same sources to go wrong. */
export interface ImageKit {
  readonly wasm: Uint8Array;
  /** The ELF file of what stays. */
  readonly loader: string;
  readonly target: string;
  /** One for each slot. */
  readonly images: readonly Uint8Array[];
  /** For slot 1. */
  readonly spoilt: readonly {
    readonly about: string;
    readonly verdict: WrongImage["verdict"];
    readonly body: Uint8Array;
  }[];
}

/** Build them. @param folder  an empty one */
export function imageKit(folder: string, build: UpdatableBuild, wasm: Uint8Array): ImageKit {
  const example = new UpdatableExample(folder);
  const loader = example.resident(build);
  const images = [0, 1].map((slot) => example.image(build, slot));
  const spoilt = SPOILT.map(([about, verdict, name, at, then]) => {
    const spoiltAt = `${at}\n${then}`;
    example.change(name, at, spoiltAt);
    const body = example.image(build, 1);
    example.change(name, spoiltAt, at);
    return { about, verdict, body };
  });
  return { wasm, loader, target: `${build.board}/rotor-updatable`, images, spoilt };
}

/** Images that are refused, or gone back from, by a board whose slot 0 runs. */
export function wrongImages({ wasm, target, images, spoilt }: ImageKit, running: number): WrongImage[] {
  const [own = wasm, other = wasm] = images;
  const package1 = (body: Uint8Array, n: number, changes: Parameters<typeof imagePackage>[3] = {}) =>
    imagePackage(body, wasm, { slot: 1, version: running + n, target }, changes);
  const damaged = package1(other, 5);
  return [
    {
      about: "for the slot that runs",
      verdict: "wrong-slot",
      given: imagePackage(own, wasm, { slot: 0, version: running + 1, target }),
    },
    { about: "for another board", verdict: "wrong-target", given: package1(other, 1, { target: `${target}x` }) },
    { about: "a module", verdict: "wrong-target", given: modulePackage(wasm, running + 2) },
    { about: "an older one", verdict: "version-goes-back", given: package1(other, -1) },
    { about: "of another interface", verdict: "wrong-abi", given: package1(other, 3, { abi: 9 }) },
    { about: "longer than a slot", verdict: "too-long", given: package1(other, 7, { length: 2 ** 20 }) },
    { about: "linked for the slot that runs", verdict: "module-refused", given: package1(own, 4) },
    { about: "with a bit turned", verdict: "bad-digest", given: { ...damaged, body: withTurnedBit(other) } },
    { about: "that fails its test", verdict: "self-test-differs", given: package1(other, 6, { test: NO_TEST }) },
    ...spoilt.map(({ about, verdict, body }, n): WrongImage => ({ about, verdict, given: package1(body, 10 + n) })),
    { about: "that nobody confirms", verdict: "not-confirmed", given: package1(other, 20) },
    { about: "that is called off on trial", verdict: "aborted", given: package1(other, 21), isAborted: true },
  ];
}

/**
 * Offer a board what it must not keep, and wait until it streams again.
 *
 * @returns what was wrong with how the board took it, null where nothing was
 */
export async function offerWrong(board: UpdatedBoard, wrong: WrongImage): Promise<string | null> {
  const { about, verdict: expected, given, isAborted } = wrong;
  const before = (await board.ask()).running;
  const { verdict, state } = await board.update(given, {
    confirmAfter: expected === "not-confirmed" || isAborted ? Number.POSITIVE_INFINITY : CONFIRM_AFTER,
    onState: ({ phase, nonce, sid }) => {
      if (isAborted && phase === "trying") board.send({ kind: "flash", op: "abort", nonce, sid });
    },
  });
  const named = verdict === null ? "confirmed" : FLASH_VERDICTS[verdict];
  if (named !== expected) return `${about}: ${named} in place of ${expected}`;
  const { slot, version, model } = state.running;
  if (slot !== before.slot || version !== before.version || model !== before.model) {
    return `${about}: ${JSON.stringify(state.running)} runs in place of ${JSON.stringify(before)}`;
  }
  const { length } = board.rows;
  await board.until(() => board.rows.length > length, `streaming again after ${about}`);
  return null;
}

function withTurnedBit(body: Uint8Array): Uint8Array {
  const result = Uint8Array.from(body);
  const at = body.length >> 1;
  result[at] = (result[at] ?? 0) ^ 1;
  return result;
}
