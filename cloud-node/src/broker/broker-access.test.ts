import type { Client, PublishPacket } from "aedes";
import { expect, test } from "vitest";
import { Counters } from "../counters.ts";
import { BrokerAccess } from "./broker-access.ts";

const WILL = { topic: "lockstep/pump/presence", payload: Buffer.from("will"), qos: 0, retain: true } as PublishPacket;

test("who connected while everybody might speak leaves no last will once a device was added", () => {
  const counters = new Counters();
  const book = { isOpen: true, grantOf: () => undefined, mayUseJobs: () => false, admits: () => false, refresh() {} };
  const access = new BrokerAccess({ group: "lockstep", speakers: book, aliasOf: () => undefined, counters });
  const client = {} as Client;
  access.expect(client, undefined);
  expect(access.login(client, undefined, undefined)).toBeUndefined();
  expect(access.publish(client, WILL)).toBeUndefined();
  book.isOpen = false;
  expect(access.mayStay(client)).toBe(false);
  expect(access.publish(client, WILL)).toBeInstanceOf(Error);
  expect(counters.all()).toEqual({ "refused.mqtt-publish": 1 });
});
