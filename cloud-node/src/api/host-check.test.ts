import { expect, test } from "vitest";
import { HostCheck } from "./host-check.ts";

const hosts = new HostCheck(["Twins.Example.com"]);

test.each([
  undefined,
  "localhost",
  "localhost:8080",
  "LOCALHOST",
  "127.0.0.1:8080",
  "192.168.1.7",
  "[::1]:8080",
  "[2001:db8::1]",
  "node:8080",
  "pi.localhost",
  "twins.example.com",
  "TWINS.example.com:443",
  "twins.example.com.",
])("%s is a name of the node, or nobody's to give away", (host) => {
  expect(() => hosts.check({ headers: { host } })).not.toThrow();
});

test.each([
  "evil.example",
  "127.0.0.1.evil.example",
  "localhost.evil.example",
  "twins.example.com.evil.example",
  "xtwins.example.com",
  "evil.example:8080",
  "0x7f.1",
  "127.0.0.1@evil.example",
  "evil.example#localhost",
  "localhost:8080:8080",
  "localhost,evil.example",
  "local host",
  "[127.0.0.1]",
  "[::1].evil.example",
  "[]",
  "",
  ".",
  "..",
  `${"a".repeat(64)}`,
  "ｌｏｃａｌｈｏｓｔ",
])("%s is not, and is told what to do", (host) => {
  expect(() => hosts.check({ headers: { host } })).toThrow(
    expect.objectContaining({ code: "wrong-host", status: 421, message: expect.stringContaining("--page-name") }),
  );
});
