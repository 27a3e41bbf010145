import { encodeFrame, type Frame, isSequenced, sequencedSeal } from "../src/index.ts";
import { describeFrame } from "./described-frame.ts";
import { FRAME_CASES, type FrameCase } from "./frame-cases.ts";
import { jobIdVectors } from "./job-id-cases.ts";
import { MAC_CASES, macVector } from "./mac-cases.ts";
import { REFUSED_CASES } from "./refused-cases.ts";
import { SERIAL_CASES, serialVector } from "./serial-cases.ts";

/** Every file of the golden vectors by its path below `protocol/vectors`. */
export function vectorFiles(): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const frameCase of FRAME_CASES) {
    const frame = sealed(frameCase);
    files.set(`${frameCase.name}.cbor`, encodeFrame(frame));
    files.set(`${frameCase.name}.json`, jsonBytes(describeFrame(frameCase.about, frame, frameCase.sealedWith)));
  }
  for (const { name, about, bytes, code, offset } of REFUSED_CASES) {
    files.set(`refused/${name}.cbor`, bytes);
    files.set(`refused/${name}.json`, jsonBytes({ about, code, offset }));
  }
  for (const serialCase of SERIAL_CASES) {
    files.set(`serial/${serialCase.name}.json`, jsonBytes(serialVector(serialCase)));
  }
  for (const macCase of MAC_CASES) {
    const found = FRAME_CASES.find(({ name }) => name === macCase.of);
    if (found === undefined) throw new RangeError(`no frame ${macCase.of}`);
    const frame = sealed(found);
    const named = "nonce" in frame ? frame.nonce : undefined;
    files.set(`mac/${macCase.name}.json`, jsonBytes(macVector(macCase, encodeFrame(frame), named)));
  }
  files.set("job-ids.json", jsonBytes(jobIdVectors()));
  return files;
}

function sealed({ frame, sealedWith }: FrameCase): Frame {
  if (!isSequenced(frame) || sealedWith === undefined) {
    return frame;
  }
  const { device, epoch, seq, stateHash } = sealedWith;
  return { ...frame, seal: sequencedSeal(encodeFrame(frame), device, epoch, seq, stateHash) };
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
}
