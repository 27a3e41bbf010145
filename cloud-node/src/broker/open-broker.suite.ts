import { systemClock } from "../clock.ts";
import { Counters } from "../counters.ts";
import { EmbeddedBroker } from "./embedded-broker.ts";

/** An embedded broker on a free port of this machine that everybody may use: fixture of tests. */
export function openBroker(): Promise<EmbeddedBroker> {
  return EmbeddedBroker.open({
    port: 0,
    host: "127.0.0.1",
    group: "lockstep",
    speakers: { isOpen: true, admits: () => true, grantOf: () => "", mayUseJobs: () => true, refresh: () => {} },
    clock: systemClock(),
    counters: new Counters(),
    trafficOf: () => undefined,
    aliasOf: () => undefined,
  });
}
