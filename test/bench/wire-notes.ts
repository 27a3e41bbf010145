import { DEFAULT_MQTT_KEEP_ALIVE_SECONDS, DEFAULT_TCP_KEEP_ALIVE_MS } from "@lockstep/edge-sdk";
import { airtimeMs, DR0_PAYLOAD_BYTES, EU868_DR0, LORAWAN_OVERHEAD_BYTES } from "./lorawan-airtime.ts";
import { HALF_SECONDS, RATE_HZ, RAW_BYTES_PER_SAMPLE, SEEDS } from "./rotor-session.ts";
import { median } from "./statistics.ts";
import { choose, isOurs, round, type WireCell } from "./wire-cells.ts";
import { STEADY } from "./wire-goals.ts";
import { HOURLY_AIRTIME_S } from "./wire-lorawan.ts";
import { BATCHED } from "./wire-plans.ts";
import type { WireRun } from "./wire-run.ts";
import { IMU_REL, SLOW_EPS } from "./wire-source.ts";
import type { LaneTraffic } from "./wire-traffic.ts";

/** A record's header 5, its type 1, its tag 16 (RFC 8446, 5.2). */
const TLS_RECORD_BYTES = 22;
/** A header of 40 B in the place of one of 20. */
const IPV6_MORE_BYTES = 20;

interface Findings {
  readonly cells: readonly WireCell[];
  readonly real: WireRun;
  /** Undefined in the quick form. */
  readonly long: WireRun | undefined;
  readonly speed: number;
  readonly longPart: string;
}

/** What a reader needs to know of how the tables came about, and what they do not say. */
export function wireNotes({ cells, real, long, speed, longPart }: Findings): string[] {
  const fullMs = airtimeMs(EU868_DR0, LORAWAN_OVERHEAD_BYTES + DR0_PAYLOAD_BYTES);
  return [
    `Input: rotor of sim/signals, 100 rad/s, ${RATE_HZ} Hz, 6 channels, sigma 0.01, eps 0.05; seeds ${SEEDS.join(", ")}, each figure the median over them. Inertial sensor: the recording in sim/data, 135 s of 6 channels at 100 Hz, eps ${IMU_REL} of each channel's range, starting again where it ends. "x" is float32 (${RATE_HZ * RAW_BYTES_PER_SAMPLE} B a second) over the bytes at that layer; whatever comes first includes learning.`,
    "Path: DeviceSession, mqtt.js or the TCP transport, TCP on the loopback interface, a CloudNode with its store on disk; all lanes of a run at once, each sample pushed when it is due.",
    long === undefined
      ? "The quick form: true real time alone, no frames of 60 s, no LoRaWAN."
      : `**Speed.** Frames of up to 10 s at true real time. Frames of 60 s, and the tables of the ${longPart}, ${speed} times faster: every clock of device and node runs ${speed} times faster too, and MQTT's and TCP's keep-alives are ${speed} times shorter, so pings, statuses and acknowledgements by age come as often per frame as in the field. TCP's delayed acknowledgement (40 ms) is not faster; it is far shorter than a frame either way, and "The same frames at both speeds" shows what is left of the difference: a node that acknowledges each frame is sometimes later than 40 ms for its disk, so TCP acknowledges first, and less often so where the node's own waiting is shorter. In ${HALF_SECONDS} s there is one frame of 60 s and no batched acknowledgement: for those the ${longPart} count, and the first table and the plot show them; the inertial sensor's then cover all of its recording, which moves less than its first 120 s.`,
    `Captured by tcpdump: IP total lengths per direction, TCP acknowledgements, MQTT pings and TCP's keep-alives included, set-up apart. Linux's TCP time stamps make a header 52 B. The interface's MTU is 65,536 B: on Ethernet the plain streams of 5 s and longer would need up to 99 segments a frame, which favours them here. TCP segments sent again, because the loopback interface overran a buffer, are left out: ${[real, ...(long === undefined ? [] : [long])].map(({ repeatedSegments }) => repeatedSegments).join(" and ")}.`,
    `The latest sample was pushed ${Math.round(real.latestMs)} ms late at true real time${long === undefined ? "" : ` and ${Math.round(long.latestMs)} ms of its own time sped up`}: other work on the computer. Late samples come at once, and share segments. Sped up, decoding the frames of 60 s of all devices at once takes the node a second or more, three of its own: so the acknowledgements that a node ships are not measured with them. They come one by one, half a minute after each frame, and cost what "one per frame" does.`,
    `Pings: a device sends one when it heard nothing for ${DEFAULT_MQTT_KEEP_ALIVE_SECONDS} s (TCP: ${DEFAULT_TCP_KEEP_ALIVE_MS / 1000} s, by the operating system), the transports' defaults, and each costs 54 B and as a rule a bare acknowledgement. One acknowledgement for six frames of up to 10 s comes in time to put it off; six frames of 60 s take four times as long as a device waits. The rows with pings after 600 s show what pings cost there; that is an option of the transport, not its default.`,
    setupNote(real),
    "Plain streams send every frame; of Lockstep's, those in which every residual is zero are not sent. Plain QoS 0 and plain TCP are acknowledged by TCP alone: what a broker or a far end loses is lost. The counterpart in what is promised is QoS 1, which still ends at the broker. A plain frame of 60 s is more than a length of 16 bits tells: over TCP and serial lines it goes in three.",
    'Serial: the wire is a socket between a device and a node, and "line" counts the bytes captured on it: each frame with a CRC of 2 B, stuffed by COBS, then a zero, and, of Lockstep, one more before a frame after a pause. On a UART each byte takes ten bits.',
    tlsNote(cells),
    `LoRaWAN: no radio. DeviceSession and the core's link with an MTU of ${DR0_PAYLOAD_BYTES} B on simulated time; ${LORAWAN_OVERHEAD_BYTES} B around each message (MHDR 1, FHDR 7, FPort 1, MIC 4; LoRaWAN 1.0.3, section 4); airtime by Semtech's AN1200.13, SF12 at 125 kHz, coding rate 4/5: ${round(fullMs)} ms for a full message, ${Math.floor((1000 * HOURLY_AIRTIME_S) / fullMs)} of them an hour at 1 %. Nothing is lost on this air; the first seed alone where the duty cycle is kept. One acknowledgement for six frames, in the window after an up-link. Slow: ${SLOW_EPS} degrees of a random walk, one sample a minute.`,
    "What does not fit 51 B: a birth (7 or 8 fragments with 6 channels, 3 with one) and a keyframe of more than a few samples (2). What does not fit the duty cycle: 100 Hz, by a factor as the table says. Fragments leave so far apart that a birth of 6 channels takes half an hour; its welcome is waited for from when the last one has left.",
    "Worse with longer frames: a value reaches the twin a frame length late. Worse with rarer acknowledgements: more frames wait in the device's ring.",
  ];
}

function setupNote({ setup }: WireRun): string {
  const bytes = (link: string, isLockstep: boolean, of: (lane: LaneTraffic) => number) =>
    round(median(setup.filter((lane) => lane.plan.link === link && isOurs(lane) === isLockstep).map(of)));
  const up = (link: string, isLockstep: boolean) => bytes(link, isLockstep, ({ ipUp }) => ipUp);
  const both = (link: string, isLockstep: boolean) => bytes(link, isLockstep, ({ ipBoth }) => ipBoth);
  return `Set-up, once per connection, in no other figure: MQTT (TCP, CONNECT, SUBSCRIBE, presence, birth, welcome) ${up("MQTT", true)} B up-link, ${both("MQTT", true)} B in both directions, plain ${both("MQTT", false)} B in both; TCP ${up("TCP", true)} B up-link, ${both("TCP", true)} B in both, plain ${both("TCP", false)} B in both.`;
}

/** Arithmetic, not measured. */
function tlsNote(cells: readonly WireCell[]): string {
  const choice = {
    signal: "rotor",
    link: "MQTT",
    frameSamples: 500,
    acks: BATCHED.name,
    part: STEADY,
    speed: 1,
  } as const;
  const [cell] = choose(cells, choice);
  if (cell === undefined) return "";
  const frames = cell.rawBytes / (cell.frameSeconds * RATE_HZ * RAW_BYTES_PER_SAMPLE);
  const tls = cell.ipBytesUp + frames * TLS_RECORD_BYTES;
  const ipv6 = tls + cell.packetsUp * IPV6_MORE_BYTES;
  return `Not measured, by arithmetic: TLS 1.3 adds ${TLS_RECORD_BYTES} B to each record, IPv6 ${IPV6_MORE_BYTES} B to each packet. Frames of 5 s, ${BATCHED.name}, steady: ${round(cell.rawBytes / cell.ipBytesUp)} x, with TLS ${round(cell.rawBytes / tls)} x, with both ${round(cell.rawBytes / ipv6)} x.`;
}
