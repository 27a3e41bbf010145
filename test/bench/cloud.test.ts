import { expect, test } from "vitest";
import { isMet } from "./bench.ts";
import { type CloudFound, reportCloud } from "./cloud.ts";
import { FrameTemplate } from "./cloud-template.ts";
import { MqttReader, publishPacket, publishPayload, text } from "./light-mqtt.ts";
import { plainBody, plainSeq } from "./plain-cargo.ts";
import { toMarkdown } from "./report.ts";

const AUDIT = { confirmedLost: 0, missing: 0, wrong: 0, frames: 1 };

function found(audit = AUDIT): CloudFound {
  const speed = { frames: 1_000, nodeUs: 40, brokerUs: 5, fleetUs: 8, framesPerSecond: 9_000, lost: 0 };
  const delays = { committed: { p50: 11.04, p99: 18 }, echo: { p50: 1, p99: 6 } };
  const steady = { frames: 1_000, ...delays, rssMB: 99.6, nodeCpu: 0.2, unconfirmed: 0 };
  const overload = { seconds: 60, heldAfterMs: 400, heldMs: 900, heldMost: 100, drainMs: 3_000, unconfirmed: 0 };
  const cargo = { frames: 1_000, bytesPerFrame: 60, messagesPerFrame: 1, storeBytesPerFrame: 70 };
  return {
    direct: [{ threads: 0, frames: 1_000, cpuMs: 40, mainMs: 30, wallMs: 35, rssMB: 100 }],
    speeds: [{ broker: "embedded", ...speed }],
    steady: [{ broker: "embedded", devices: 1_000, ...steady, audit }],
    many: [{ broker: "embedded", devices: 2_000, ...steady, audit: AUDIT }],
    overloads: [{ what: "twice", framesPerSecond: 18_000, ...overload, audit: AUDIT }],
    cargos: [{ cargo: "lockstep", ...cargo, nodeUs: 40, brokerUs: 5, killed: AUDIT }],
  };
}

test("--json says of each broker what was promised, and nothing else", () => {
  expect(reportCloud(found({ ...AUDIT, missing: 2 })).json).toEqual({
    brokers: [
      {
        name: "embedded",
        devices: 1_000,
        framesPerSecondPerCore: 25_000,
        latencyMsP50: 11,
        latencyMsP99: 18,
        rssMB: 100,
        lost: 2,
      },
    ],
  });
});

test("the page can be printed, and its goals fail where a confirmed frame is lost", () => {
  const report = reportCloud(found());
  expect(toMarkdown(report, { command: "c", machine: "m", date: "d" })).toContain("## More than it can take");
  expect(report.goals?.filter((goal) => !isMet(goal))).toEqual([]);
  const lossy = reportCloud(found({ ...AUDIT, confirmedLost: 1 }));
  expect(lossy.goals?.filter((goal) => !isMet(goal)).map(({ measured }) => measured)).toEqual([1]);
});

test("a template's frames are a device's own, and its plain bodies say which frame they are", async () => {
  const template = await FrameTemplate.make(1, 5);
  expect(template.frames).toHaveLength(5);
  expect(template.frameOf("template", 3)).toEqual(template.frames[3]?.bytes.slice());
  expect(template.frameOf("other", 3)).not.toEqual(template.frames[3]?.bytes.slice());
  for (const form of ["json", "float32"] as const) {
    expect(plainSeq(form, Buffer.from(plainBody(form, template, 4)))).toBe(4);
  }
});

test("packets are cut out of what is read, however it is chopped", () => {
  const payloads = [Buffer.alloc(3, 1), Buffer.alloc(300, 2), Buffer.alloc(0)];
  const stream = Buffer.concat(payloads.map((payload, i) => publishPacket(text("a/b"), payload, { packetId: i })));
  const reader = new MqttReader();
  const read = [...stream].flatMap((byte) =>
    [...reader.push(Buffer.from([byte]))].map((packet) => publishPayload(packet)),
  );
  expect(read).toEqual(payloads);
});
