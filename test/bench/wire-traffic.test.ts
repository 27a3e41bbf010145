import { expect, test } from "vitest";
import type { Packet } from "./packet-capture.ts";
import type { LanePlan } from "./wire-lanes.ts";
import { connectionsOf, trafficOf } from "./wire-traffic.ts";

const NODE_PORT = 1883;
const HEADERS = 52;

function packet(from: number, sequence: number, carried: string, nodePort = NODE_PORT): Packet {
  const isUp = from !== NODE_PORT;
  return {
    timeMs: 0,
    sourcePort: from,
    targetPort: isUp ? nodePort : 4000,
    sequence: sequence >>> 0,
    ipBytes: HEADERS + carried.length,
    carriedBytes: carried.length,
    carried: Buffer.from(carried),
  };
}

const PLAN: LanePlan = {
  ...{ kind: "lockstep", link: "MQTT", source: "rotor" },
  ...{ frameSamples: 100, acks: "one per frame", seed: 1, name: "a" },
};

test("a connection is named by what its first packets carry, and each direction counts its own bytes", () => {
  const packets = [packet(4000, 1, ""), packet(4000, 1, "hello a!"), packet(NODE_PORT, 9, "yes"), packet(4001, 5, "b")];
  const connections = connectionsOf(packets, [NODE_PORT], new Map([["a", Buffer.from("a!")]]));
  const part = { rawBytes: 1000, fromMs: 0, toMs: 1 };
  expect([...connections.keys()]).toEqual(["a"]);
  expect(trafficOf(PLAN, part, connections.get("a"))).toMatchObject({
    ...{ linkUp: 8, linkBoth: 11, ipUp: 2 * HEADERS + 8, ipBoth: 3 * HEADERS + 11 },
    ...{ packetsUp: 2, bareUpBytes: HEADERS },
  });
});

test("a segment that was sent again counts once, across the wrap of the sequence numbers too", () => {
  const packets = [
    packet(4000, 0xfffffffe, "a!"),
    packet(4000, 0, "more"),
    packet(4000, 0, "more"),
    packet(4000, 0xfffffffe, "a!"),
    packet(4000, 4, ""),
    packet(4000, 4, "last"),
  ];
  const connection = connectionsOf(packets, [NODE_PORT], new Map([["a", Buffer.from("a!")]])).get("a");
  expect(connection?.repeated).toBe(2);
  expect(connection?.up.map(({ carriedBytes }) => carriedBytes)).toEqual([2, 4, 0, 4]);
});

test("connections from one port to two are told apart, and one that nobody opened is missed", () => {
  const packets = [packet(4000, 1, "a!"), packet(4000, 700, "b!", 1884), packet(4000, 3, "more")];
  const marks = new Map(["a!", "b!"].map((mark) => [mark, Buffer.from(mark)]));
  const connections = connectionsOf(packets, [NODE_PORT, 1884], marks);
  expect(connections.get("a!")?.up.length).toBe(2);
  expect(connections.get("b!")?.up.length).toBe(1);
  expect(() => connectionsOf(packets, [NODE_PORT, 1884], new Map([["c", Buffer.from("c!")]]))).toThrow(/lane c/);
});
