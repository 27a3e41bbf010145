import { expect, test } from "vitest";
import { Reachability } from "./reachability.ts";

function watch(url: string): { reachability: Reachability; told: string[] } {
  const told: string[] = [];
  const listener = { onProblem: (problem: string) => told.push(problem), onRecovery: () => told.push("back") };
  return { reachability: new Reachability(url, listener), told };
}

const refused = Object.assign(new Error(""), { code: "ECONNREFUSED" });

test("each reason is told once until the far end is heard again, with the address and what to look at", () => {
  const { reachability, told } = watch("tcp://node.local:7400");
  reachability.heard();
  reachability.lost("closed by the far end");
  for (let attempt = 0; attempt < 3; attempt += 1) reachability.lost(refused);
  reachability.lost("closed by the far end");
  reachability.heard();
  reachability.heard();
  reachability.lost(refused);
  const listens =
    "tcp://node.local:7400 cannot be reached, trying again: nothing listens there: is a node running, and is that its port?";
  const closed = "tcp://node.local:7400 cannot be reached, trying again: closed by the far end";
  expect(told).toEqual([closed, listens, "back", listens]);
});

test("what the system says of anything else is told as it is, and a password to nobody", () => {
  const { reachability, told } = watch("mqtts://pump:s3cret@broker:8883");
  reachability.lost(new Error("Connection refused: Not authorized"));
  reachability.lost(Object.assign(new Error(""), { code: "EPROTO" }));
  expect(told).toEqual([
    "mqtts://broker:8883 cannot be reached, trying again: Connection refused: Not authorized",
    "mqtts://broker:8883 cannot be reached, trying again: EPROTO",
  ]);
});
