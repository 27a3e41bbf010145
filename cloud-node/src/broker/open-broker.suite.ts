import { systemClock } from "../clock.ts";
import { Counters } from "../counters.ts";
import { EmbeddedBroker } from "./embedded-broker.ts";

/** An embedded broker of this machine that everybody may use, unless it is closed: fixture of tests. @param port  0: a free one */
export function openBroker(port = 0, isOpen = true): Promise<EmbeddedBroker> {
  return EmbeddedBroker.open({
    port,
    host: "127.0.0.1",
    group: "lockstep",
    speakers: { isOpen, admits: () => isOpen, grantOf: () => "", mayUseJobs: () => true, refresh: () => {} },
    clock: systemClock(),
    counters: new Counters(),
    trafficOf: () => undefined,
    aliasOf: () => undefined,
  });
}
