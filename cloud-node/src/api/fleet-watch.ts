import type { Clock, Timer } from "../clock.ts";
import type { NodeEvent } from "../reconstructor/node-event.ts";
import type { TwinView } from "../reconstructor/twin-view.ts";
import { AlertBook } from "./alert-book.ts";
import type { ApiNode, DeviceTruth, TruthOf } from "./api-node.ts";
import type { DeviceState } from "./device-state.ts";
import { DeviceWatch } from "./device-watch.ts";
import type { EventLog } from "./event-log.ts";
import { fleetPage } from "./fleet-order.ts";
import { nodeTroubles } from "./node-troubles.ts";
import { refusedRow } from "./refused-row.ts";
import type { FleetPage, FleetRow, FleetSummary, FleetView } from "./schemas/fleet-schema.ts";
import { orNull } from "./schemas/nullable.ts";
import { sumAccounts, type TrafficAccount } from "./traffic-account.ts";

const LOOK_MS = 1_000;
/** Something happened since the last look: who asks gets a new one, but looks take no more of the time than one part in so many. */
const REST_SHARE = 10;
/** Trouble of the node itself must last, or be gone, for so long before that is said. */
const NODE_HOLD_US = 10_000_000;

/** What a fleet watch reads from. */
export interface FleetWatchOptions {
  readonly node: ApiNode;
  readonly clock: Clock;
  readonly truthOf: TruthOf;
  readonly log: EventLog;
}

/**
 * Looks at every device once a second, for all who are interested: what it computes is the same for a hundred tabs as
 * for one.
 */
export class FleetWatch {
  readonly #options: FleetWatchOptions;
  readonly #devices = new Map<string, DeviceWatch>();
  readonly #nodeAlerts = new AlertBook();
  readonly #unsubscribe: (() => void)[];
  #rows: FleetRow[] = [];
  #summary: FleetSummary;
  #slowestCommitMs = 0;
  /** How long devices were held back until the last look. */
  #heldMs = 0;
  #timer: Timer | undefined;
  #isStale = true;
  #restedMs = Number.NEGATIVE_INFINITY;

  constructor(options: FleetWatchOptions) {
    this.#options = options;
    const { node } = options;
    this.#unsubscribe = [
      node.onEvent((event) => this.#observe(event)),
      node.onCommit((elapsedMs) => {
        this.#slowestCommitMs = Math.max(this.#slowestCommitMs, elapsedMs);
      }),
    ];
    this.#summary = this.#look();
    this.#tick();
  }

  /** A page of the table as it was at the last look; at most a second ago. */
  page(view: FleetView): FleetPage {
    this.#freshen();
    return fleetPage(this.#summary, this.#rows, view);
  }

  /** The row of one device; undefined for one that was never born here. */
  row(id: string): FleetRow | undefined {
    this.#freshen();
    return this.#rows.find((row) => row.id === id);
  }

  /** What a device cost in the last 24 h, or as much of them as was seen. */
  account(view: TwinView): TrafficAccount {
    return this.#watch(view.id).account(view, this.#options.clock.unixUs());
  }

  /** How much time the account of a device covers, s. */
  windowS(id: string): number {
    return this.#devices.get(id)?.windowS(this.#options.clock.unixUs()) ?? 0;
  }

  /** Samples of a device confirmed since this server started, over all boots. */
  samples(id: string): number {
    return this.#devices.get(id)?.samples ?? 0;
  }

  close(): void {
    this.#timer?.cancel();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #observe(event: NodeEvent): void {
    if ("device" in event) this.#watch(event.device).observe(event);
    if (event.kind === "confirmed") return;
    this.#options.log.add(event, this.#options.clock.unixUs());
    this.#isStale = true;
  }

  #tick(): void {
    this.#timer = this.#options.clock.setTimer(() => {
      this.#slowestCommitMs *= 0.5;
      this.#summary = this.#look();
      this.#tick();
    }, LOOK_MS);
  }

  #freshen(): void {
    const isDue = this.#options.clock.nowMs() >= this.#restedMs;
    if (this.#isStale && isDue) this.#summary = this.#look();
  }

  #look(): FleetSummary {
    const { node, clock, truthOf, log } = this.#options;
    this.#isStale = false;
    const startedMs = clock.nowMs();
    const nowUs = clock.unixUs();
    const truths: DeviceTruth[] = [];
    const accounts: TrafficAccount[] = [];
    this.#rows = node.devices().map((view) => {
      const truth = truthOf(view.id);
      if (truth !== undefined) truths.push(truth);
      const watch = this.#watch(view.id);
      const { row, changes } = watch.look(view, truth, nowUs, node.updates.of(view.id)?.update);
      accounts.push(watch.account(view, nowUs));
      for (const { kind, text, isOpen } of changes) {
        log.add({ kind: "alert", device: view.id, alert: kind, text, isOpen }, nowUs);
      }
      return row;
    });
    for (const refused of node.refused()) this.#rows.push(refusedRow(refused, nowUs));
    const load = node.load();
    const troubles = nodeTroubles(node.health(), this.#slowestCommitMs, load, load.heldMs - this.#heldMs);
    this.#heldMs = load.heldMs;
    for (const { kind, text, isOpen } of this.#nodeAlerts.update(troubles, nowUs, NODE_HOLD_US)) {
      log.add({ kind: "alert", device: null, alert: kind, text, isOpen }, nowUs);
    }
    const endedMs = clock.nowMs();
    this.#restedMs = endedMs + REST_SHARE * (endedMs - startedMs);
    const count = (...states: DeviceState[]) => this.#rows.filter(({ state }) => states.includes(state)).length;
    return {
      nowUs,
      mqttUrl: node.mqttUrl,
      devices: this.#rows.length,
      needAction: count("fault", "offline"),
      catchingUp: count("catching-up"),
      quiet: count("quiet"),
      live: count("live"),
      ratioIp: orNull(sumAccounts(accounts).ratioIp),
      beyondEps: truths.reduce((sum, truth) => sum + truth.beyondEps, 0),
      compared: truths.reduce((sum, truth) => sum + truth.compared, 0),
      alerts: this.#nodeAlerts.open,
    };
  }

  #watch(device: string): DeviceWatch {
    const known = this.#devices.get(device);
    if (known !== undefined) return known;
    const watch = new DeviceWatch();
    this.#devices.set(device, watch);
    return watch;
  }
}
