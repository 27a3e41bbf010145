import { decodeManifest, type FlashVerdict } from "@lockstep/protocol";
import { spoiltIn } from "../end-to-end/bad-modules.ts";
import { EXAMPLE_KEY, modulePackage, relabelled, type VersionedPackage } from "../end-to-end/update-package.ts";
import { ed25519Key, hmacKey, signed, type UpdatePackage } from "./update-package.ts";

/** A package that a board must not keep, and how it says so. */
export interface WrongImage {
  readonly about: string;
  readonly verdict: FlashVerdict;
  readonly given: VersionedPackage;
  /** Called off when it is on trial, in place of confirmed. */
  readonly isAborted?: true;
}

/** Of the emulated Cortex-M4: what a body may take of a slot, and what the example lends its core. */
const ROOM = 0x20000 - 512;
const MEMORY_BYTES = 12_288;
const MOST = 2 ** 32 - 1;
/** 2^252 + 27742317777372353535851937790883648493. @see RFC 8032, section 5.1 */
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const SELF_TEST = { channels: 2, samples: 24, seed: 77 };

/**
 * Modules that an updatable board refuses before it erases anything.
 *
 * @param running  version that it runs, confirmed
 */
export function refusedAtBegin(wasm: Uint8Array, running: number): WrongImage[] {
  const good = (n: number) => modulePackage(relabelled(wasm, "better"), running + n);
  const next = running + 1;
  const changed = (changes: Parameters<typeof modulePackage>[2]) => modulePackage(wasm, next, changes);
  const bySignature = (about: string, n: number, change: (signature: Uint8Array) => Uint8Array): WrongImage => {
    const given = good(n);
    return { about, verdict: "bad-signature", given: { ...given, signature: change(given.signature) } };
  };
  return [
    ...[0, 7, 31, 32, 40, 63].map((at, n) =>
      bySignature(`bit of signature byte ${at} turned`, 10 + n, (signature) => turned(signature, at)),
    ),
    bySignature("S beyond the group's order", 20, withLongS),
    bySignature("a signature of zeros", 21, (signature) => signature.map(() => 0)),
    bySignature("a signature of ones", 22, (signature) => signature.map(() => 0xff)),
    bySignature("the signature of the next version", 23, () => good(24).signature),
    bySignature("a signature of the manifest alone", 25, () => EXAMPLE_KEY.sign(good(25).manifest)),
    bySignature("another key's signature", 26, () => bySomebody(good(26), 3).signature),
    ...[1, 2, 3].map(
      (n): WrongImage => ({ about: `key ${n}`, verdict: "unknown-key", given: bySomebody(good(30 + n), n) }),
    ),
    { about: "a shared secret", verdict: "unknown-key", given: bySecret(good(34)) },
    ...manifests(good(40)),
    ...[0, 1, running - 1].map(
      (version): WrongImage => ({
        about: `version ${version}`,
        verdict: "version-goes-back",
        given: modulePackage(relabelled(wasm, "old"), version),
      }),
    ),
    { about: "the running version", verdict: "version-goes-back", given: good(0) },
    ...["toaster", "modulf", "modul", "module2"].map(
      (target): WrongImage => ({ about: `for ${target}`, verdict: "wrong-target", given: changed({ target }) }),
    ),
    { about: "an image", verdict: "wrong-target", given: changed({ form: "image", slot: 1 }) },
    ...[0, 2, 255, MOST].map(
      (abi): WrongImage => ({ about: `interface ${abi}`, verdict: "wrong-abi", given: changed({ abi }) }),
    ),
    ...[ROOM + 1, 2 ** 31, MOST].map(
      (length): WrongImage => ({ about: `${length} bytes`, verdict: "too-long", given: changed({ length }) }),
    ),
    ...[MEMORY_BYTES + 1, 65_536, MOST].map(
      (memoryBytes): WrongImage => ({
        about: `${memoryBytes} bytes of memory`,
        verdict: "too-much-memory",
        given: changed({ memoryBytes }),
      }),
    ),
  ];
}

/** Modules that it refuses once it has the whole. @param lite  one that computes otherwise */
export async function refusedAtEnd(wasm: Uint8Array, lite: Uint8Array, running: number): Promise<WrongImage[]> {
  const better = relabelled(wasm, "better");
  const { length } = better;
  const damaged = [0, 1, 512, length >> 1, length - 2, length - 1].map((at, n): WrongImage => {
    const given = modulePackage(better, running + 100 + n);
    return { about: `bit of byte ${at} turned`, verdict: "bad-digest", given: { ...given, body: turned(better, at) } };
  });
  const bodies: [string, Uint8Array][] = [
    ["eight bytes", better.subarray(0, 8)],
    ["half of it", better.subarray(0, length >> 1)],
    ["all but its last byte", better.subarray(0, length - 1)],
    ["another magic number", turned(better, 0)],
    ["another version of WebAssembly", turned(better, 4)],
    ["a section of imports", Buffer.concat([better.subarray(0, 8), Buffer.of(2, 7, 1, 1, 0x61, 1, 0x62, 0, 0), wasm])],
    ["zeros", new Uint8Array(4096)],
    ["text", Buffer.from("no module at all ".repeat(99))],
  ];
  const refused = bodies.map(
    ([about, body], n): WrongImage => ({
      about,
      verdict: "module-refused",
      given: modulePackage(body, running + 110 + n),
    }),
  );
  const tests = [
    { digest: "00".repeat(32) },
    { digest: "11".repeat(32) },
    { seed: SELF_TEST.seed + 1 },
    { channels: 3 },
    { samples: 23 },
  ];
  const { digest } = decodeManifest(modulePackage(wasm, running).manifest).test;
  const differing = tests.map(
    (test, n): WrongImage => ({
      about: `a test of ${JSON.stringify(test)}`,
      verdict: "self-test-differs",
      given: modulePackage(better, running + 120 + n, { test: { ...SELF_TEST, digest, ...test } }),
    }),
  );
  const spoilt: [string, string, number, string][] = [
    ["a trap in row 1 of the test", "encodeRows", 0, "unreachable"],
    ["a trap in row 5 of the test", "encodeRows", 4, "unreachable"],
    ["a test without an end", "encodeRows", 7, "loop br 0 end"],
    ["a division by zero in the test", "encodeEnd", 0, "i32.const 1 i32.const 0 i32.div_u drop"],
  ];
  const trapping = await Promise.all(
    spoilt.map(async ([about, name, calls, then], n): Promise<WrongImage> => {
      const body = await spoiltIn(wasm, name, calls, then);
      return { about, verdict: "trapped", given: modulePackage(body, running + 130 + n) };
    }),
  );
  const other = modulePackage(lite, running + 140);
  return [
    ...damaged,
    ...refused,
    ...differing,
    { about: "the lite profile under the full one's test", verdict: "self-test-differs", given: other },
    ...trapping,
  ];
}

/** Modules that prove themselves, and that it goes back from. */
export async function wrongOnTrial(wasm: Uint8Array, running: number): Promise<WrongImage[]> {
  const spoilt: [string, number, string][] = [
    ...[1, 2, 5, 9, 13, 20, 25].map((at): [string, number, string] => [
      `a trap in sample ${at}`,
      at - 1,
      "unreachable",
    ]),
    ...[5, 12].map((at): [string, number, string] => [`sample ${at} without an end`, at - 1, "loop br 0 end"]),
    ...[-1, -7].map((status): [string, number, string] => [`status ${status}`, 4, `i32.const ${status} return`]),
    ["a division by zero", 4, "i32.const 1 i32.const 0 i32.div_u drop"],
    ["memory that is not there", 4, "i32.const -4 i32.load drop"],
  ];
  const trapping = await Promise.all(
    spoilt.map(async ([about, samples, then], n): Promise<WrongImage> => {
      const body = await spoiltIn(wasm, "linkSample", samples, then);
      return { about, verdict: "trapped", given: modulePackage(body, running + 200 + n) };
    }),
  );
  const others = ["not-confirmed", "not-confirmed", "aborted", "aborted"] as const;
  return [
    ...trapping,
    ...others.map(
      (verdict, n): WrongImage => ({
        about: `nobody wants it, ${n}`,
        verdict,
        given: modulePackage(relabelled(wasm, `unloved ${n}`), running + 220 + n),
        ...(verdict === "aborted" ? { isAborted: true } : {}),
      }),
    ),
  ];
}

/** Manifests that are none, each signed as it is. */
function manifests({ manifest, body, version }: VersionedPackage): WrongImage[] {
  const target = Buffer.from(manifest).indexOf("module");
  const slot = Buffer.from(manifest).indexOf(Buffer.of(0x18, 0xff));
  const shape = Buffer.from(manifest).lastIndexOf(Buffer.of(0x84, SELF_TEST.channels, 0x18, SELF_TEST.samples));
  const cases: [string, Uint8Array][] = [
    ["an element more than its array has", manifest.with(0, 0x8d)],
    ["another format", manifest.with(1, 2)],
    ["another form", manifest.with(2, 2)],
    ["a byte too many", Buffer.concat([manifest, Buffer.of(0)])],
    ["a byte too few", manifest.subarray(0, manifest.length - 1)],
    ["bytes for a target", manifest.with(target - 1, 0x46)],
    ["a number not in its only form", spliced(manifest, target + 6, 0, [0x18])],
    ["a module for one slot", spliced(manifest, slot, 2, [1])],
    ["a test of no channels", manifest.with(shape + 1, 0)],
    ["a test of seventeen channels", manifest.with(shape + 1, 17)],
    ["a test of no samples", spliced(manifest, shape + 2, 2, [0])],
    ["nothing but an array", Uint8Array.of(0x80)],
  ];
  return cases.map(([about, bytes]) => ({
    about: `a manifest with ${about}`,
    verdict: "bad-manifest",
    given: { ...signed(bytes, body, EXAMPLE_KEY), version },
  }));
}

function bySomebody({ manifest, body, version }: VersionedPackage, n: number): VersionedPackage {
  return { ...signed(manifest, body, ed25519Key(n)), version };
}

function bySecret({ manifest, body, version }: VersionedPackage): VersionedPackage {
  return { ...signed(manifest, body, hmacKey(1)), version };
}

/** The same signature to whoever does not look at how long S is. */
function withLongS(signature: UpdatePackage["signature"]): Uint8Array {
  const littleEndian = Buffer.from(signature.subarray(32)).reverse().toString("hex");
  const long = (BigInt(`0x${littleEndian}`) + GROUP_ORDER).toString(16).padStart(64, "0");
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(long, "hex").reverse()]);
}

function turned(bytes: Uint8Array, at: number): Uint8Array {
  const result = Uint8Array.from(bytes);
  result[at] = (result[at] ?? 0) ^ 1;
  return result;
}

function spliced(bytes: Uint8Array, at: number, left: number, put: readonly number[]): Uint8Array {
  return Uint8Array.from([...bytes.slice(0, at), ...put, ...bytes.slice(at + left)]);
}
