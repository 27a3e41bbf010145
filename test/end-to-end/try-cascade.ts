import { readFileSync, writeFileSync, openSync, readSync } from "node:fs";
import { factoryFlash } from "../../firmware-examples/board-support/make-flash.js";
import { modulePackage, relabelled } from "./update-package.ts";
import { UpdatedBoard } from "./updated-board.ts";

const AT = "/tmp/ls/wt-dboot/firmware-examples/rotor-updatable/build/mps2-an386";
const wasm = readFileSync("/tmp/ls/wt-dboot/edge-sdk/build/device.wasm");
const flash = factoryFlash("mps2-an386", wasm, 1 << 24);
flash.writeUInt32LE(2, 0x60000);
flash.writeUInt32LE(12345, 0x60008);
writeFileSync(`${AT}/flash.bin`, flash);
const board = await UpdatedBoard.start("mps2-an386", `${AT}/rotor-updatable.elf`, `${AT}/flash.bin`);
const control = () => { const b = Buffer.alloc(32); const f = openSync(`${AT}/flash.bin`, "r"); readSync(f, b, 0, 32, 0x60000); return [0,1,2,3,4,5,6,7].map((i) => b.readUInt32LE(4*i)).join(" "); };
const t0 = Date.now();
let last = "";
setInterval(() => console.log(Date.now() - t0, control(), last), 3000).unref();
const done = await board.update(modulePackage(relabelled(wasm, "two"), (1 << 24) + 1), { patience: 60, confirmAfter: 1, onState: (s) => {
  last = `${s.phase} ${s.sid.toString(16)} ${s.next} v${s.verdict} ${s.detail.toString(16)} run ${s.running.slot} ${s.running.version.toString(16)} traps ${s.traps} stack ${s.stackHighWater} frames ${board.epochFrames} boots ${board.boots}`;
}});
console.log(Date.now() - t0, done.verdict, done.state, board.rows.length, board.boots, control());
await board.stop();
