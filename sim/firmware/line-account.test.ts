import { planChannel } from "@lockstep/edge-sdk";
import { encodeFrame, encodeSerialFrame, type Frame, position } from "@lockstep/protocol";
import { expect, test } from "vitest";
import { LineAccount } from "./line-account.ts";

const NONCE = 7;
const line = (frame: Frame) => encodeSerialFrame(encodeFrame(frame));
const span = { hasEvents: false, hasLines: false, payload: new Uint8Array(5), seal: 0 };
const keyframe = (epoch: number, seq: number, samples: number) =>
  line({ kind: "keyframe", epoch, seq, birthHash: "0011223344556677", timeUs: 0, lattices: 0, samples, ...span });
const residual = (epoch: number, seq: number, samples: number, quiet = 0) =>
  line({ kind: "residual", position: position(epoch, seq), quiet, samples, ...span });
const ack = (epoch: number, through: number) => line({ kind: "ack", nonce: NONCE, epoch, through, missing: [] });
const status = (epoch: number, oldest: number, evicted: number) =>
  line({ kind: "status", nonce: NONCE, epoch, oldest, next: 9, evicted, ringFill: 0, timeUs: 0 });

test("every frame is counted once, with the samples that it accounts for", () => {
  const account = new LineAccount();
  for (const chunk of [keyframe(3, 0, 10), residual(3, 1, 10, 4), residual(3, 1, 10, 4), residual(3, 2, 8)]) {
    account.said(chunk);
  }
  expect([...(account.epochs.get(3)?.sent ?? [])]).toEqual([
    [0, 10],
    [1, 14],
    [2, 8],
  ]);
  expect(account.framesSent).toBe(3);
  expect(account.traffic).toMatchObject({ messages: 4, dataFrames: 4, payloadBytes: 15 });
});

test("a frame whose samples are not written out has those of the birth", () => {
  const account = new LineAccount();
  const { config } = planChannel({ name: "x", eps: 0.1, min: -1, max: 1 });
  const ids = { nonce: NONCE, epoch: 0, model: "00".repeat(32), firmware: "1", device: "d" };
  const pace = { frameSamples: 25, periodNs: 1_000_000, silenceMs: 1000, ringBytes: 4096 };
  account.said(line({ kind: "birth", ...ids, ...pace, channels: [config] }));
  account.said(keyframe(1, 0, 0));
  expect(account.epochs.get(1)?.sent.get(0)).toBe(25);
});

test("what is confirmed goes up only, and what was dropped before is not confirmed by going on", () => {
  const account = new LineAccount();
  account.said(keyframe(1, 0, 10));
  account.heard(ack(1, 2));
  account.heard(ack(1, 1));
  expect(account.epochs.get(1)?.confirmed).toBe(2);
  account.said(status(1, 4, 20));
  account.heard(ack(1, 6));
  expect([account.epochs.get(1)?.confirmed, [...(account.epochs.get(1)?.evicted ?? [])]]).toEqual([6, [2, 3]]);
  expect(account.evicted).toBe(20);
});

test("whoever waits is told once enough has passed, whichever way, and in whatever pieces", async () => {
  const account = new LineAccount();
  let isTold = false;
  const told = account
    .until(() => account.epochs.get(1)?.confirmed === 1)
    .then(() => {
      isTold = true;
    });
  for (const byte of keyframe(1, 0, 10)) account.said(Uint8Array.of(byte));
  await Promise.resolve();
  expect(isTold).toBe(false);
  for (const byte of ack(1, 1)) account.heard(Uint8Array.of(byte));
  await told;
  expect(isTold).toBe(true);
});

test("a frame that was cut off by a lost power is left out, and the next one is heard", () => {
  const account = new LineAccount();
  account.said(keyframe(1, 0, 10).subarray(0, 9));
  account.said(Uint8Array.of(0));
  account.said(keyframe(2, 0, 10));
  expect([...account.epochs.keys()]).toEqual([2]);
});
