import { readFileSync, writeFileSync } from "node:fs";
import { factoryFlash } from "../../firmware-examples/board-support/make-flash.js";
import { modulePackage, relabelled } from "./update-package.ts";
import { UpdatedBoard } from "./updated-board.ts";

const AT = "/tmp/ls/wt-dboot/firmware-examples/rotor-updatable/build/mps2-an386";
const wasm = readFileSync("/tmp/ls/wt-dboot/edge-sdk/build/device.wasm");
writeFileSync(`${AT}/flash.bin`, factoryFlash("mps2-an386", wasm, 1 << 24));
const board = await UpdatedBoard.start("mps2-an386", `${AT}/rotor-updatable.elf`, `${AT}/flash.bin`);
const t0 = Date.now(); console.log("started"); const tick = setInterval(() => console.log(board.boots, board.rows.length, board.state?.phase), 1000); tick.unref();
let last = "";
const done = await board.update(modulePackage(relabelled(wasm, "two"), (1 << 24) + 1), { patience: 30, onState: (s) => {
  const text = `${s.phase} ${s.sid.toString(16)} ${s.next} v${s.verdict} ${s.detail.toString(16)} run ${s.running.slot} ${s.running.version.toString(16)} traps ${s.traps} stack ${s.stackHighWater} frames ${board.epochFrames} boots ${board.boots}`;
  if (text !== last) console.log(Date.now() - t0, text);
  last = text;
}});
console.log(done.verdict, done.state, board.rows.length, board.boots);
await board.stop();
