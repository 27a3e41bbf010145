import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type FeedListener, LiveFeed } from "./live-feed.ts";

/** What a browser makes of an address: it is open until it is closed. */
class FakeSource {
  static readonly all: FakeSource[] = [];
  readonly url: string;
  isOpen = true;
  readonly #listeners = new Map<string, (event: unknown) => void>();

  constructor(url: string) {
    this.url = url;
    FakeSource.all.push(this);
  }

  addEventListener(name: string, listener: (event: unknown) => void): void {
    this.#listeners.set(name, listener);
  }

  tell(name: string, event: unknown = {}): void {
    if (this.isOpen) this.#listeners.get(name)?.(event);
  }

  close(): void {
    this.isOpen = false;
  }
}

class FakeDocument extends EventTarget {
  hidden = false;

  show(isShown: boolean): void {
    this.hidden = !isShown;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

let page: FakeDocument;
const heard: string[] = [];
const lost: number[] = [];
const LISTENER: FeedListener = {
  fleet: () => heard.push("fleet"),
  device: () => heard.push("device"),
  lanes: () => heard.push("lanes"),
  event: () => heard.push("event"),
  jobs: () => heard.push("jobs"),
  alive: () => heard.push("alive"),
  lost: () => lost.push(FakeSource.all.length),
  reopened: () => heard.push("reopened"),
};
const open = () => FakeSource.all.filter(({ isOpen }) => isOpen);

beforeEach(() => {
  vi.useFakeTimers();
  page = new FakeDocument();
  FakeSource.all.length = 0;
  heard.length = 0;
  lost.length = 0;
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("EventSource", FakeSource);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function follow(): void {
  new LiveFeed(LISTENER).follow(new URLSearchParams("device=rotor"));
  FakeSource.all.at(-1)?.tell("open");
}

test("a tab that nobody looks at holds its connection for 30 s, and opens it as soon as it is looked at", () => {
  follow();
  page.show(false);
  vi.advanceTimersByTime(29_000);
  expect(open()).toHaveLength(1);
  page.show(true);
  page.show(false);
  vi.advanceTimersByTime(30_000);
  expect(open()).toHaveLength(0);
  page.show(true);
  expect(open()).toHaveLength(1);
  FakeSource.all.at(-1)?.tell("open");
  expect(heard).toEqual(["reopened"]);
});

test("a hidden tab whose connection is lost meanwhile holds none after 30 s either, nor tries for one", () => {
  follow();
  page.show(false);
  vi.advanceTimersByTime(5_000);
  open()[0]?.tell("error");
  vi.advanceTimersByTime(1_000);
  expect(open()).toHaveLength(1);
  vi.advanceTimersByTime(24_000);
  expect(open()).toHaveLength(0);
  const tried = FakeSource.all.length;
  vi.advanceTimersByTime(600_000);
  expect(FakeSource.all).toHaveLength(tried);
  page.show(true);
  expect(open()).toHaveLength(1);
});

test("a lost connection is tried for after 1, 2, 4 … 30 s, from the last message on", () => {
  follow();
  open()[0]?.tell("heartbeat", { data: '{"nowUs":5}', lastEventId: "17" });
  const waits = [1, 2, 4, 8, 16, 30, 30];
  for (const seconds of waits) {
    open()[0]?.tell("error");
    vi.advanceTimersByTime(1000 * seconds - 1);
    expect(open()).toHaveLength(0);
    vi.advanceTimersByTime(1);
    expect(open().map(({ url }) => url)).toEqual(["/api/v1/stream?device=rotor&since=17"]);
  }
});

test("while it is held there is no connection and no try for one; let go, it goes on where it was", () => {
  const feed = new LiveFeed(LISTENER);
  feed.follow(new URLSearchParams("device=rotor"));
  open()[0]?.tell("open");
  open()[0]?.tell("heartbeat", { data: '{"nowUs":5}', lastEventId: "17" });
  open()[0]?.tell("error");
  expect(lost).toHaveLength(1);
  feed.hold(true);
  vi.advanceTimersByTime(600_000);
  page.show(false);
  page.show(true);
  feed.retry();
  expect(open()).toHaveLength(0);
  feed.hold(false);
  expect(open().map(({ url }) => url)).toEqual(["/api/v1/stream?device=rotor&since=17"]);
  open()[0]?.tell("open");
  expect(heard.at(-1)).toBe("reopened");
});
