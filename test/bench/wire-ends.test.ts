import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_MQTT_KEEP_ALIVE_SECONDS, DEFAULT_TCP_KEEP_ALIVE_MS, systemClock } from "@lockstep/edge-sdk";
import { expect, test } from "vitest";
import { FarEnds, storeOf } from "./wire-ends.ts";
import { BATCHED, RARE_PINGS } from "./wire-plans.ts";

test("devices ping as the transports do by default, unless their group says otherwise, sooner on a faster clock", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-wire-"));
  const ends = new FarEnds(systemClock());
  try {
    for (const group of [BATCHED, RARE_PINGS]) await ends.open(group, storeOf(folder, group.name));
    const plan = { kind: "lockstep", link: "MQTT", source: "rotor", frameSamples: 1, seed: 1, name: "a" } as const;
    const [tcpKeepAliveMs, keepAliveSeconds] = [DEFAULT_TCP_KEEP_ALIVE_MS, DEFAULT_MQTT_KEEP_ALIVE_SECONDS];
    expect(ends.of({ ...plan, acks: BATCHED.name }, 1)).toMatchObject({ keepAliveSeconds, tcpKeepAliveMs });
    expect(ends.of({ ...plan, acks: BATCHED.name }, 3)).toMatchObject({
      keepAliveSeconds: keepAliveSeconds / 3,
      tcpKeepAliveMs: tcpKeepAliveMs / 3,
    });
    expect(ends.of({ ...plan, acks: RARE_PINGS.name }, 1)).toMatchObject({ keepAliveSeconds: 600, tcpKeepAliveMs });
  } finally {
    await ends.close();
    await rm(folder, { recursive: true });
  }
});
