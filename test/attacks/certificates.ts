import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { programPath } from "../os-package.ts";

/** PEM files of one certificate. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const DAYS = ["-days", "2"];

/** An authority of one test, and what it signs: made anew by Debian's openssl, so that nothing expires in the repository. */
export class TestAuthority {
  readonly #folder: string;
  readonly #name: string;
  /** PEM of its own certificate. */
  readonly ca: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
    this.ca = this.#file("ca.pem");
    openssl(
      "req",
      "-x509",
      ...EC_KEY,
      ...DAYS,
      "-keyout",
      this.#file("ca.key"),
      "-out",
      this.ca,
      "-subj",
      `/CN=${name}`,
    );
  }

  /** A certificate of a server on this machine, or of a device. */
  sign(commonName: string): Certificate {
    const files = { cert: this.#file(`${commonName}.pem`), key: this.#file(`${commonName}.key`) };
    const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    const signer = ["-CA", this.ca, "-CAkey", this.#file("ca.key")];
    const place = ["-keyout", files.key, "-out", files.cert, "-subj", `/CN=${commonName}`];
    openssl("req", "-x509", ...EC_KEY, ...DAYS, ...signer, ...place, ...names, "-addext", "basicConstraints=CA:FALSE");
    return files;
  }

  #file(name: string): string {
    return join(this.#folder, `${this.#name}-${name}`);
  }
}

function openssl(...args: string[]): void {
  execFileSync(programPath("openssl"), args, { stdio: "pipe" });
}
