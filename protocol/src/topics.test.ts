import { expect, test } from "vitest";
import { ALIAS_FILTER, aliasTopic, type DeviceTopic, formatTopic, parseTopic, topicFilter } from "./topics.ts";

const TOPIC: DeviceTopic = { group: "plant-1", device: "rotor_7", level: "birth" };

test.for([
  ["birth", "ls/v1/plant-1/rotor_7/b"],
  ["frames", "ls/v1/plant-1/rotor_7/f"],
  ["control", "ls/v1/plant-1/rotor_7/c"],
  ["presence", "ls/v1/plant-1/rotor_7/s"],
  ["jobs", "ls/v1/plant-1/rotor_7/j"],
] as const)("the topic for %s is %s, both ways", ([level, topic]) => {
  expect(formatTopic({ ...TOPIC, level })).toBe(topic);
  expect(parseTopic(topic)).toEqual({ kind: "device", ...TOPIC, level });
});

test("a short topic is at most eight bytes, both ways", () => {
  expect(aliasTopic("Az_-09")).toBe("l/Az_-09");
  expect(parseTopic("l/Az_-09")).toEqual({ kind: "alias", alias: "Az_-09" });
});

test.for([
  "",
  "/",
  "ls",
  "l/",
  "l/1234567",
  "l/a b",
  "l/+",
  "x/a",
  "ls/v1/g/d",
  "ls/v1/g/d/",
  "ls/v1/g/d/x",
  "ls/v1/g/d/b/",
  "ls/v1/g/d/b/b",
  "ls/v2/g/d/b",
  "ls/v1//d/b",
  "ls/v1/g//b",
  "ls/v1/+/d/b",
  "ls/v1/g/#",
  "/ls/v1/g/d/b",
  "LS/v1/g/d/b",
  "ls/v1/g/d/B",
  "ls/v1/g/d/toString",
  `ls/v1/${"g".repeat(65)}/d/b`,
  `ls/v1/g/${"d".repeat(65)}/b`,
  "ls/v1/g/é/b",
  "ls/v1/g/d\n/b",
  "$SYS/broker/load",
  "l/ab\n",
])("%j is nobody's topic", (topic) => {
  expect(parseTopic(topic)).toBeUndefined();
});

test("names that a topic cannot carry are refused", () => {
  expect(() => formatTopic({ ...TOPIC, device: "a/b" })).toThrow("frame: out-of-range at byte 0 (device)");
  expect(() => formatTopic({ ...TOPIC, group: "" })).toThrow("(group)");
  expect(() => formatTopic({ ...TOPIC, device: "d".repeat(65) })).toThrow("limit 64");
  expect(() => aliasTopic("")).toThrow("(alias)");
  expect(() => aliasTopic("1234567")).toThrow("limit 6");
  expect(() => topicFilter("birth", "+")).toThrow("(group)");
});

test("a filter covers one level of every device, of one group or of all", () => {
  expect(topicFilter("birth")).toBe("ls/v1/+/+/b");
  expect(topicFilter("presence", "plant-1")).toBe("ls/v1/plant-1/+/s");
  expect(ALIAS_FILTER).toBe("l/+");
});
