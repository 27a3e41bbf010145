import { expect, test } from "vitest";
import { SessionCookie } from "./session-cookie.ts";

const VALUE = "A".repeat(43);

test("the cookie is out of reach of scripts and of other sites, and over TLS of whatever is not TLS", () => {
  const [plain, tls] = [new SessionCookie("/a/node.db", false), new SessionCookie("/a/node.db", true)];
  expect(plain.begin(VALUE)).toBe(`${plain.name}=${VALUE}; Path=/; HttpOnly; SameSite=Strict; Max-Age=604800`);
  expect(tls.begin(VALUE)).toBe(`${tls.name}=${VALUE}; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=604800`);
  expect(tls.name).toMatch(/^__Host-lockstep-[0-9a-f]{8}$/);
  expect(plain.end()).toContain("Max-Age=0");
  expect(new SessionCookie("/b/node.db", false).name).not.toBe(plain.name);
  // One store, however it is written.
  expect(new SessionCookie("/b/../a/node.db", false).name).toBe(plain.name);
});

test("a cookie is read among others; two of one name, or what is none of ours, is none", () => {
  const cookie = new SessionCookie("/a/node.db", false);
  const good = `${cookie.name}=${VALUE}`;
  expect(cookie.read(good)).toBe(VALUE);
  expect(cookie.read(`a=1; ${good};b=2`)).toBe(VALUE);
  for (const header of [
    undefined,
    "",
    `x${good}`,
    `${good}; ${cookie.name}=${"B".repeat(43)}`,
    `${cookie.name}=`,
    `${cookie.name}`,
    `${good}=`,
    `${cookie.name}="${VALUE}"`,
    `${cookie.name}=${VALUE}A`,
    `${cookie.name.toUpperCase()}=${VALUE}`,
  ]) {
    expect(cookie.read(header), header).toBeUndefined();
  }
  expect([cookie.isIn(`${cookie.name}=bad`), cookie.isIn("other=1"), cookie.isIn(undefined)]).toEqual([
    true,
    false,
    false,
  ]);
});
