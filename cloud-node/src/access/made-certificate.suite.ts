import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate and its key, with what it takes to sign others. */
export interface MadeCertificate {
  readonly name: string;
  readonly certPem: string;
  readonly keyPem: string;
  readonly key: KeyObject;
}

/** Tags of DER (X.690). */
const [INTEGER, BITS, OCTETS, OID, UTF8, TIME, SEQUENCE, SET] = [2, 3, 4, 6, 12, 24, 48, 49] as const;
const COMMON_NAME = "550403";
const ECDSA_SHA256 = "2a8648ce3d040302";
const ALT_NAME = "551d11";
const BASIC_CONSTRAINTS = "551d13";
const CRITICAL = Buffer.from("0101ff", "hex");
const TRUE = CRITICAL;

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const oid = (hex: string): Buffer => der(OID, Buffer.from(hex, "hex"));
const text = (value: string): Buffer => der(UTF8, Buffer.from(value));
const subject = (name: string): Buffer => der(SEQUENCE, der(SET, der(SEQUENCE, oid(COMMON_NAME), text(name))));
const time = (year: number): Buffer => der(TIME, Buffer.from(`${year}0101000000Z`));

/** An X.509 certificate on P-256 for localhost and 127.0.0.1. @param issuer  who signs it; undefined: it signs itself */
export function makeCertificate(name: string, issuer?: MadeCertificate): MadeCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const names = der(SEQUENCE, der(0x82, Buffer.from("localhost")), der(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = der(
    SEQUENCE,
    der(SEQUENCE, oid(ALT_NAME), der(OCTETS, names)),
    der(
      SEQUENCE,
      oid(BASIC_CONSTRAINTS),
      CRITICAL,
      der(OCTETS, der(SEQUENCE, issuer === undefined ? TRUE : Buffer.alloc(0))),
    ),
  );
  const algorithm = der(SEQUENCE, oid(ECDSA_SHA256));
  const serial = createHash("sha256").update(spki).digest().subarray(0, 8);
  const body = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.from([1]), serial),
    algorithm,
    subject(issuer?.name ?? name),
    der(SEQUENCE, time(2020), time(2099)),
    subject(name),
    spki,
    der(0xa3, extensions),
  );
  const signature = sign("sha256", body, issuer?.key ?? privateKey);
  const whole = der(SEQUENCE, body, algorithm, der(BITS, Buffer.from([0]), signature));
  const lines = (whole.toString("base64").match(/.{1,64}/g) ?? []).join("\n");
  const certPem = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  return { name, certPem, keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), key: privateKey };
}

/** Its two files in a folder, NAME.pem and NAME.key. */
export function writeCertificate(
  folder: string,
  made: MadeCertificate,
): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, `${made.name}.pem`), join(folder, `${made.name}.key`)];
  writeFileSync(cert, made.certPem);
  writeFileSync(key, made.keyPem, { mode: 0o600 });
  return { cert, key };
}
