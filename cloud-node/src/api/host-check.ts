import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { ApiProblem } from "./problem.ts";

const HOST = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,31}\.?))(?::\d{1,5})?$/;

/**
 * Refuses requests that were sent to another name: a page from elsewhere whose name is made to lead here (DNS
 * rebinding) says its own. Addresses, names without a dot, and those under `localhost` are nobody's to give away; every
 * other name is one that the operator gave.
 */
export class HostCheck {
  readonly #names: ReadonlySet<string>;

  /** @param names  by which the page is reached, beside those that always are */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => name.toLowerCase().replace(/\.$/, "")));
  }

  /** @throws {ApiProblem} `wrong-host` */
  check({ headers: { host } }: Pick<IncomingMessage, "headers">): void {
    // Without one there is no browser: each says where it goes.
    if (host === undefined || this.#isKnown(host)) return;
    const name = host.slice(0, 80);
    const detail = `this node does not go by the name ${name}: use its address, or start it with --page-name NAME`;
    throw new ApiProblem("wrong-host", detail);
  }

  #isKnown(host: string): boolean {
    const [, address, name = ""] = HOST.exec(host) ?? [];
    if (address !== undefined) return isIP(address) === 6;
    const plain = name.toLowerCase().replace(/\.$/, "");
    if (plain === "") return false;
    return !plain.includes(".") || isIP(plain) === 4 || plain.endsWith(".localhost") || this.#names.has(plain);
  }
}
