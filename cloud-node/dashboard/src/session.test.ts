import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Session, type SessionFacts } from "./session.ts";

const told: SessionFacts[] = [];
let answers: (() => Promise<Response>)[] = [];
const asked: [path: string, init: RequestInit | undefined][] = [];

const json = (status: number, body: object) => () => Promise.resolve(Response.json(body, { status }));
const away = () => Promise.reject(new TypeError("fetch failed"));
const IN = json(200, { isOpen: false, name: "ops", roles: ["read"], expires: null });
const NOT_IN = json(401, { code: "no-token", detail: "log in, or send a token" });

beforeEach(() => {
  [told.length, asked.length] = [0, 0];
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    asked.push([path, init]);
    return (answers.shift() ?? away)();
  });
});
afterEach(() => vi.unstubAllGlobals());

const session = (...next: (() => Promise<Response>)[]): Session => {
  answers = next;
  return new Session((facts) => told.push(facts));
};
const states = (): string[] => told.map(({ state }) => state);

test("a node on which nobody has to log in is open, and one that needs a token is out until it has one", async () => {
  const open = json(200, { isOpen: true, name: null, roles: ["read"], expires: null });
  await session(open).check();
  expect(states()).toEqual(["open"]);
  const one = session(NOT_IN, NOT_IN, json(401, { detail: "this token opens nothing here" }), IN);
  await one.check();
  await one.check();
  expect(await one.logIn(" lst_x ")).toBe("This token opens nothing here.");
  expect(await one.logIn("lst_x\n")).toBeUndefined();
  expect(states()).toEqual(["open", "out", "in"]);
  expect(asked.at(-1)?.[1]).toMatchObject({ method: "POST", body: '{"token":"lst_x"}' });
  // A token in an address would be in every log on the way.
  expect(asked.map(([path]) => path)).toEqual(asked.map(() => "/api/v1/session"));
});

test("a session that ends under a view leaves the view; one that is left takes it away", async () => {
  const one = session(IN, NOT_IN, NOT_IN, IN, json(200, {}));
  await one.check();
  await one.check();
  await one.check();
  expect(told.at(-1)).toEqual({ state: "ended", name: "ops" });
  await one.check();
  await one.logOut();
  expect(states()).toEqual(["in", "ended", "in", "out"]);
});

test("a node that does not answer changes nothing", async () => {
  const one = session(IN, away, json(503, {}), away, away);
  await one.check();
  await one.check();
  await one.check();
  expect(await one.logIn("lst_x")).toContain("does not answer");
  await one.logOut();
  expect(states()).toEqual(["in"]);
});

test("whoever began without tokens and is asked for one keeps his view", async () => {
  const one = session(json(200, { isOpen: true, name: null, roles: ["read"], expires: null }), NOT_IN);
  await one.check();
  await one.check();
  expect(states()).toEqual(["open", "ended"]);
});
