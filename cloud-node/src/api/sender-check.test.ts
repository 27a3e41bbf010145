import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { checkSender } from "./sender-check.ts";

type Case = readonly [method: string, headers: IncomingHttpHeaders, isTls?: boolean | undefined];

/** Whether a request is taken from whoever is logged in. */
function isTaken([method, headers, isTls = false]: Case, isOpen: boolean): boolean {
  const socket = { encrypted: isTls };
  const request = { method, headers: { host: "localhost:8080", ...headers }, socket } as unknown as IncomingMessage;
  try {
    checkSender(request, { isOpen, hasCookie: headers.cookie !== undefined });
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "from-a-page", status: 403 });
    // Whatever it was about: an update, a job, a file.
    expect((error as Error).message).toContain("use the `lockstep` command,");
    return false;
  }
}

const named = (cases: readonly Case[]) => cases.map((request) => ({ name: JSON.stringify(request), request }));

const cookie = "lockstep-0=x";
const OWN = "http://localhost:8080";

const OWN_OR_PROGRAMS: readonly Case[] = [
  ["POST", {}],
  ["DELETE", {}],
  ["POST", { origin: OWN, cookie }],
  ["POST", { origin: OWN, cookie, "sec-fetch-site": "same-origin" }],
  ["DELETE", { origin: "http://LOCALHOST:8080", cookie }],
  ["POST", { origin: "https://localhost:8080", cookie }],
  ["POST", { origin: "https://localhost:8080", cookie }, true],
  ["POST", { origin: "http://localhost", host: "localhost:80", cookie }],
  ["POST", { origin: "https://twins.example.com", host: "twins.example.com:443", cookie }, true],
  ["GET", { "sec-fetch-site": "none" }],
  ["GET", { "sec-fetch-site": "same-origin", cookie }],
  ["GET", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }],
  ["GET", { origin: "http://evil.example" }],
];

test.each(named(OWN_OR_PROGRAMS))("$name is a program's or the page's own", ({ request }) => {
  expect(isTaken(request, false)).toBe(true);
});

const ELSEWHERE: readonly Case[] = [
  ["POST", { origin: "http://evil.example", cookie }],
  ["POST", { origin: "http://evil.example" }],
  ["POST", { origin: "null", cookie }],
  ["POST", { origin: "", cookie }],
  ["POST", { cookie }],
  ["DELETE", { cookie }],
  ["PUT", { cookie }],
  ["POST", { origin: "http://localhost:8081", cookie }],
  ["POST", { origin: "http://localhost", cookie }],
  ["POST", { origin: "http://127.0.0.1:8080", cookie }],
  ["POST", { origin: "http://localhost:8080.evil.example", cookie }],
  ["POST", { origin: "http://evil.localhost:8080", cookie }],
  ["POST", { origin: "ftp://localhost:8080", cookie }],
  ["POST", { origin: OWN, cookie }, true],
  ["POST", { origin: OWN, cookie, "sec-fetch-site": "cross-site" }],
  ["POST", { origin: OWN, cookie, "sec-fetch-site": "same-site" }],
  ["GET", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
  ["GET", { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" }],
  ["HEAD", { "sec-fetch-site": "cross-site" }],
];

test.each(named(ELSEWHERE))("$name is another page's", ({ request }) => {
  expect(isTaken(request, false)).toBe(false);
});

test("while nobody has to log in no page changes anything, its own included: it could be another one by this address", () => {
  expect(isTaken(["POST", { origin: OWN }], true)).toBe(false);
  expect(isTaken(["POST", {}], true)).toBe(true);
});
