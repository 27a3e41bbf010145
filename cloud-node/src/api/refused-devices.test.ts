import { encodeFrame } from "@lockstep/protocol";
import { Value } from "typebox/value";
import { expect, test, vi } from "vitest";
import type { LoopbackEnd } from "../ingest/loopback-link.ts";
import { EncodedDevice } from "../reconstructor/encoded-device.suite.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import { type FleetPage, FleetPageSchema } from "./schemas/fleet-schema.ts";

closeRigsAfterEach();

/** Births of these devices, of a module that nobody registered. */
function strangers(rig: ApiRig, names: readonly string[], model = "ab".repeat(32)): void {
  for (const [nonce, device] of names.entries()) {
    const end: LoopbackEnd = {
      listen(handlers) {
        handlers.connected();
        const { birth } = new EncodedDevice(1, { device, nonce: nonce + 1 });
        handlers.message(encodeFrame({ ...birth, model }));
      },
      send: () => undefined,
      drop: () => undefined,
    };
    rig.node.attach(end);
  }
}

test("a device that was refused at its first birth is a fault in the table, with the reason, until it is taken in", async () => {
  const rig = await ApiRig.open();
  await rig.device("pump", [[1, 2]]);
  const sinceUs = rig.clock.unixUs();
  strangers(rig, ["stranger"]);
  const page = await vi.waitFor(async () => {
    const found = await rig.json<FleetPage>("/devices");
    expect(found.rows.map(({ id }) => id)).toEqual(["stranger", "pump"]);
    return found;
  }, 20_000);
  expect([...Value.Errors(FleetPageSchema, page)]).toEqual([]);
  const [row] = page.rows;
  expect(row).toMatchObject({ state: "fault", samples: 0, lastDataUs: null });
  expect(row?.alerts).toMatchObject([{ kind: "fault", text: expect.stringContaining("unknown-model") }]);
  expect(row?.alerts[0]?.sinceUs).toBeGreaterThanOrEqual(sinceUs);
  expect(page.summary).toMatchObject({ devices: 2, needAction: 1 });
  const about = await rig.get("/api/v1/devices/stranger");
  expect(about.status).toBe(404);
  expect(await about.json()).toMatchObject({
    code: "unknown-device",
    detail: expect.stringContaining("refused, unknown-model"),
    reason: "unknown-model",
  });
  await rig.device("stranger", [[1, 2]]);
  await vi.waitFor(async () => {
    const { rows } = await rig.json<FleetPage>("/devices?search=stranger");
    expect(rows).toMatchObject([{ id: "stranger", samples: 1 }]);
    expect(rows[0]?.state).not.toBe("fault");
  }, 20_000);
  expect(rig.node.refused()).toEqual([]);
});

test("whoever makes up names is remembered up to a bound, and those who were taken in are all there", async () => {
  const rig = await ApiRig.open();
  await rig.device("pump", [[1, 2]]);
  const names = Array.from({ length: 1_100 }, (_, n) => `name-${n}`);
  strangers(rig, names);
  expect(rig.node.refused().map(({ id }) => id)).toEqual(names.slice(-1_000));
  expect(rig.node.device("pump")?.confirmed.samples).toBe(1);
  strangers(rig, ["name-0"]);
  expect(rig.node.refused().at(-1)?.id).toBe("name-0");
});
