import { DEFAULT_ACK_POLICY } from "@lockstep/cloud-node";
import type { BenchGoal, BenchReport, BenchTable } from "./bench.ts";
import { deviceModule, HALF_SECONDS, median, RATE_HZ, RAW_BYTES_PER_SAMPLE, runRotor, SEEDS } from "./rotor-session.ts";
import type { LanePlan } from "./wire-lanes.ts";
import { type LaneTraffic, runWire, type WireGroup, type WireRun } from "./wire-run.ts";

/** Samples: one, 0.1 s, 1 s, 5 s, 10 s. */
const FRAMES = [1, 10, 100, 500, 1000] as const;
const EACH: WireGroup = { name: "one per frame", acks: { everyFrames: 1, ageMs: 1_000 } };
const BATCHED: WireGroup = { name: "one per 6 frames", acks: { everyFrames: 6, ageMs: 70_000 } };
const DEFAULT: WireGroup = { name: "as the node ships", acks: DEFAULT_ACK_POLICY };
const GROUPS = [EACH, BATCHED, DEFAULT] as const;
/** Frames beyond this length have acks apart even by default; shorter ones are measured with the two others. */
const DEFAULT_FRAMES: readonly number[] = [100, 500];
const PLAIN_ACKS = ["QoS 0", "QoS 1"] as const;
/** The length that goals are set for. */
const GOAL_FRAME = 500;
/** Frames of 5 s every 0.2 s: late enough for TCP's delayed acknowledgements, too early for the time-outs of the protocol. */
const SPEED = 25;
const MANY_SEEDS = 96;
const RAW_BYTES = HALF_SECONDS * RATE_HZ * RAW_BYTES_PER_SAMPLE;

/** Bytes of the reference rotor at every layer, captured on the loopback interface, beside plain float32 streams. */
export async function benchWire(): Promise<BenchReport> {
  const ratios = await Promise.all(Array.from({ length: MANY_SEEDS }, (_, i) => seedRatios(i + 1)));
  const seeds = SEEDS.map((seed): [number, number] => ratios[seed - 1] ?? [Number.NaN, Number.NaN]);
  const run = await runWire(GROUPS, plans(FRAMES));
  const spedUp = await runWire(GROUPS, plans([GOAL_FRAME]), SPEED);
  const rmsErrorPooled = Math.max(...run.errors.map((error) => error.rmsErrorPooled));
  const maxErrorOverEps = Math.max(...run.errors.map((error) => error.maxErrorOverEps));
  const stored = Math.min(...run.errors.map(({ samples }) => samples));
  return {
    goals: [
      payloadGoal("from cold", median(seeds.map(([cold]) => cold)), 292),
      payloadGoal("steady", median(seeds.map(([, steady]) => steady)), 533),
      ...ipGoals(run),
      { what: "RMS error, pooled, worst device", measured: 100 * rmsErrorPooled, unit: "%", must: { below: 5 } },
      { what: "largest error / eps, worst device", measured: maxErrorOverEps, unit: "", must: { atMost: 1 } },
      {
        what: "samples in the reopened store, least device",
        measured: stored,
        unit: "",
        must: { atLeast: 2 * HALF_SECONDS * RATE_HZ },
      },
    ],
    ...layersTable(`The first ${HALF_SECONDS} s, from cold`, run.cold),
    title: "Bytes on the wire: the reference rotor over MQTT",
    more: [
      layersTable(`The next ${HALF_SECONDS} s, steady`, run.steady),
      partsTable("at true real time", run),
      layersTable(`The same, sped up ${SPEED} times, steady`, spedUp.steady),
      partsTable(`sped up ${SPEED} times`, spedUp),
      {
        title: "Payload by seed, frames of 1 s",
        columns: ["seed", `first ${HALF_SECONDS} s, x`, `next ${HALF_SECONDS} s, x`],
        rows: [
          ...SEEDS.map((seed, i) => [String(seed), ...(seeds[i] ?? []).map((ratio) => round(ratio))]),
          [
            "median of these",
            round(median(seeds.map(([cold]) => cold))),
            round(median(seeds.map(([, steady]) => steady))),
          ],
          [
            `median of seeds 1 to ${MANY_SEEDS}`,
            round(median(ratios.map(([cold]) => cold))),
            round(median(ratios.map(([, steady]) => steady))),
          ],
        ],
      },
    ],
    notes: [
      `Input: rotor of sim/signals, 100 rad/s, ${RATE_HZ} Hz, 6 channels, sigma 0.01, eps 0.05; seeds ${SEEDS.join(", ")}, each figure the median over them. "x" is ${RAW_BYTES} B (float32, ${HALF_SECONDS} s) over the bytes at that layer; the first part includes learning.`,
      "Path: DeviceSession, mqtt.js, TCP on the loopback interface, aedes inside a CloudNode with its store on disk; all devices at once, every sample pushed when it is due at true real time (nothing is sped up, so acknowledgements meet frames as they would in the field).",
      `The tables that are sped up are a check: no time-out of the protocol, of MQTT or of TCP has a place in them, so what they have less than the others is what waiting costs. No goal is read off them.`,
      "Captured by tcpdump: IP total lengths per direction, TCP acknowledgements and MQTT pings included, set-up apart. Linux's TCP time stamps make a header 52 B. The interface's MTU is 65,536 B: on Ethernet the plain streams of 5 and 10 s would need up to 17 segments each, which favours them here.",
      `Set-up, once per connection (TCP, CONNECT, SUBSCRIBE, presence, birth, welcome): ${round(median(run.setup.filter(isOurs).map(({ ipUp }) => ipUp)))} B up-link, ${round(median(run.setup.filter(isOurs).map(({ ipBoth }) => ipBoth)))} B in both directions; plain: ${round(median(run.setup.filter((lane) => !isOurs(lane)).map(({ ipBoth }) => ipBoth)))} B in both.`,
      "Plain streams send every frame; of Lockstep's, those in which every residual is zero are not sent. Plain QoS 0 is acknowledged by TCP alone: what a broker loses is lost. Its counterpart in what is promised is QoS 1, which still ends at the broker.",
      "Worse with longer frames: a value reaches the twin a frame length late. Worse with rarer acknowledgements: more frames wait in the device's ring.",
    ],
  };
}

function plans(frames: readonly number[]): LanePlan[] {
  const ours = frames.flatMap((frameSamples) =>
    GROUPS.filter((group) => group !== DEFAULT || DEFAULT_FRAMES.includes(frameSamples)).flatMap(({ name: acks }, g) =>
      SEEDS.map(
        (seed): LanePlan => ({ kind: "lockstep", frameSamples, acks, seed, name: `r${frameSamples}-${g}-${seed}` }),
      ),
    ),
  );
  const plain = frames.flatMap((frameSamples) =>
    PLAIN_ACKS.map(
      (acks, g): LanePlan => ({ kind: "plain", frameSamples, acks, seed: 1, name: `plain-${frameSamples}-${g}` }),
    ),
  );
  return [...ours, ...plain];
}

async function seedRatios(seed: number): Promise<[number, number]> {
  const { cold, all } = await runRotor(seed, RATE_HZ, deviceModule());
  return [RAW_BYTES / cold.payloadBytes, RAW_BYTES / (all.payloadBytes - cold.payloadBytes)];
}

function payloadGoal(part: string, measured: number, aim: number): BenchGoal {
  return {
    what: `payload, frames of 1 s, ${HALF_SECONDS} s ${part}`,
    measured,
    unit: "x",
    must: { atLeast: 200 },
    aim,
  };
}

function ipGoals(run: WireRun): BenchGoal[] {
  return [
    { acks: EACH.name, must: { atLeast: 60 }, aim: 73 },
    { acks: BATCHED.name, must: { atLeast: 90 }, aim: 105 },
  ].flatMap(({ acks, must, aim }) =>
    (["cold", "steady"] as const).map((part) => ({
      what: `IP up-link, frames of 5 s, acknowledgements ${acks}, ${part === "cold" ? "from cold" : part}`,
      measured: RAW_BYTES / of(run[part], "lockstep", GOAL_FRAME, acks, ({ ipUp }) => ipUp),
      unit: "x",
      must,
      aim,
    })),
  );
}

/** The median over seeds of one figure of one kind of lane. */
function of(
  part: readonly LaneTraffic[],
  kind: LanePlan["kind"],
  samples: number,
  acks: string,
  figure: (lane: LaneTraffic) => number,
): number {
  const lanes = part.filter(({ plan }) => plan.kind === kind && plan.frameSamples === samples && plan.acks === acks);
  return median(lanes.map(figure));
}

function layersTable(title: string, part: readonly LaneTraffic[]): BenchTable {
  const kinds = FRAMES.flatMap((samples) => [
    ...GROUPS.map(({ name }) => ["lockstep", samples, name] as const),
    ...PLAIN_ACKS.map((acks) => ["plain", samples, acks] as const),
  ]);
  return {
    title,
    columns: [
      "frame",
      "stream",
      "acknowledged",
      "packets up",
      "payload x",
      "frame x",
      "MQTT x",
      "IP up x",
      "IP both x",
      "plain QoS 0 / this, IP up",
      "IP both",
    ],
    rows: kinds
      .filter(([kind, samples, acks]) => !Number.isNaN(of(part, kind, samples, acks, () => 0)))
      .map(([kind, samples, acks]) => {
        const get = (figure: (lane: LaneTraffic) => number) => of(part, kind, samples, acks, figure);
        const plain = (figure: (lane: LaneTraffic) => number) => of(part, "plain", samples, PLAIN_ACKS[0], figure);
        const ratio = (figure: (lane: LaneTraffic) => number) => round(RAW_BYTES / get(figure));
        return [
          samples === 1 ? "1 sample" : `${samples / RATE_HZ} s`,
          kind === "plain" ? "float32" : "Lockstep",
          acks,
          round(get(({ packetsUp }) => packetsUp)),
          ratio(({ payloadBytes }) => payloadBytes),
          ratio(({ messageBytes }) => messageBytes),
          ratio(({ mqttUp }) => mqttUp),
          ratio(({ ipUp }) => ipUp),
          ratio(({ ipBoth }) => ipBoth),
          round(plain(({ ipUp }) => ipUp) / get(({ ipUp }) => ipUp)),
          round(plain(({ ipBoth }) => ipBoth) / get(({ ipBoth }) => ipBoth)),
        ];
      }),
  };
}

/** Which bytes a frame of the goal's length costs, on average over the steady part. */
function partsTable(pace: string, { steady }: WireRun): BenchTable {
  return {
    title: `Where the up-link's bytes go: frames of 5 s, steady, ${pace}, bytes per data frame`,
    columns: [
      "acknowledged",
      "payload",
      "envelope",
      "statuses, heartbeats",
      "MQTT headers, pings",
      "TCP/IP headers of these",
      "bare TCP acknowledgements",
      "sum",
    ],
    rows: GROUPS.map(({ name }) => {
      const get = (figure: (lane: LaneTraffic) => number) =>
        round(of(steady, "lockstep", GOAL_FRAME, name, (lane) => figure(lane) / lane.dataFrames));
      return [
        name,
        get(({ payloadBytes }) => payloadBytes),
        get(({ dataFrameBytes, payloadBytes }) => dataFrameBytes - payloadBytes),
        get(({ messageBytes, dataFrameBytes }) => messageBytes - dataFrameBytes),
        get(({ mqttUp, messageBytes }) => mqttUp - messageBytes),
        get(({ ipUp, bareUpBytes, mqttUp }) => ipUp - bareUpBytes - mqttUp),
        get(({ bareUpBytes }) => bareUpBytes),
        get(({ ipUp }) => ipUp),
      ];
    }),
  };
}

function isOurs({ plan }: LaneTraffic): boolean {
  return plan.kind === "lockstep";
}

/** Three significant digits, or all before the point. */
function round(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
