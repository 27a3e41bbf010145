import { connect } from "node:net";
import { systemClock, systemRandom, tcpTransport } from "@lockstep/edge-sdk";
import { encodeFrame, encodeStreamFrame } from "@lockstep/protocol";
import { afterEach, expect, test } from "vitest";
import { becomes, HOST, speaks, Target, THIEF, VICTIM } from "./target.ts";

let target: Target | undefined;
afterEach(async () => {
  await target?.close();
  target = undefined;
});

/** How long a target that must not answer is waited for: a birth, a frame and its acknowledgement take milliseconds. */
const HEARD_MS = 2_000;
/** Where it must; reached only when something is broken. */
const LIMIT_MS = 20_000;

/** Whether a device without any proof of who it is, but its word, is heard over TCP. */
async function isHeard(at: Target, id: string): Promise<boolean> {
  const transport = tcpTransport({ url: at.tcpUrl, clock: systemClock(), random: systemRandom() });
  return await speaks(await at.device(id, transport), at.isGuarded ? HEARD_MS : LIMIT_MS);
}

test.for([
  ["another device's name", VICTIM],
  ["a name that nobody added", "ghost"],
  ["its own name, which anybody could say", THIEF],
])("a device that says %s over plain TCP is not heard, and told so", async ([, id = ""]) => {
  target = await (await Target.of(true)).start();
  expect(await isHeard(target, id)).toBe(false);
  expect(target.node.device(id)).toBeUndefined();
  expect(target.node.counters()["refused.not-admitted"]).toBeGreaterThan(0);
});

test("over plain TCP every name is heard where no device was added, so that the refusals prove something", async () => {
  target = await (await Target.of(false)).start();
  expect(await isHeard(target, VICTIM)).toBe(true);
  expect(await isHeard(target, "ghost")).toBe(true);
});

test.for([true, false])(
  "pieces of frames of a connection that has not said who it is are kept: not where devices were added (%s)",
  async (isGuarded) => {
    target = await (await Target.of(isGuarded)).start();
    const { node } = target;
    const socket = connect({ host: HOST, port: node.tcpPort ?? 0 });
    const chunk = new Uint8Array(30_000);
    for (const index of [0, 1]) {
      socket.write(encodeStreamFrame(encodeFrame({ kind: "fragment", id: 1, index, count: 2, chunk })));
    }
    // Put together, they are no frame.
    const counted = isGuarded ? "refused.early-fragment" : "refused.wrong-shape";
    expect(await becomes(() => (node.counters()[counted] ?? 0) > 0, LIMIT_MS), JSON.stringify(node.counters())).toBe(
      true,
    );
    expect(node.counters()["refused.early-fragment"]).toBe(isGuarded ? 2 : undefined);
    socket.destroy();
  },
);

test("the first device that is added ends the connections of all who were heard without", async () => {
  target = await (await Target.of(false)).start();
  const transport = tcpTransport({ url: target.tcpUrl, clock: systemClock(), random: systemRandom() });
  const session = await target.device("early", transport);
  expect(await speaks(session)).toBe(true);
  await target.add(VICTIM);
  const { node } = target;
  expect(await becomes(() => node.device("early")?.online === false, LIMIT_MS)).toBe(true);
  expect(await speaks(session, HEARD_MS)).toBe(false);
});
