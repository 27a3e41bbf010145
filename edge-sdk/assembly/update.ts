import { copy } from "./cbor";
import { chunkLimit } from "./update-answer";
import { updateLost } from "./update-lost";
import {
  configByte,
  configWord,
  RUNNING_SHA256,
  UPDATE_CANDIDATE,
  UPDATE_CANDIDATE_BYTES,
  UPDATE_CONFIG,
  UPDATE_CONFIG_BODY_OFFSET,
  UPDATE_CONFIG_IS_TRYING,
  UPDATE_CONFIG_KEY_COUNT,
  UPDATE_CONFIG_KEYS,
  UPDATE_CONFIG_LAST_DETAIL,
  UPDATE_CONFIG_LAST_VERDICT,
  UPDATE_CONFIG_MODEL,
  UPDATE_CONFIG_RUNNING_FORM,
  UPDATE_CONFIG_RUNNING_SLOT,
  UPDATE_CONFIG_SECTOR_BYTES,
  UPDATE_CONFIG_SID,
  UPDATE_CONFIG_SLOT_BYTES,
  UPDATE_CONFIG_TAKES_FORM,
  UPDATE_CONFIG_TARGET_LENGTH,
  UPDATE_CONFIG_WRITE_UNIT,
  UPDATE_FORM_MODULE,
  UPDATE_HEAD_BYTES,
  UPDATE_KEY_BYTES,
  UPDATE_KEY_HMAC_SHA256,
  UPDATE_STATUS_CONFIG,
} from "./update-memory";
import { nameKeys } from "./update-signature";
import {
  setAcknowledged,
  setAnswerDue,
  setNext,
  setPhase,
  setSid,
  setStackBytes,
  setTriedAtMs,
  setVerdict,
  UPDATE_PHASE_IDLE,
  UPDATE_PHASE_TRYING,
} from "./update-state";
import { startLoading } from "./update-steps";

// biome-ignore lint/performance/noBarrelFile: an entry's exports are the module's interface
export { updatePoll } from "./update-answer";
export { updateReceive } from "./update-frames";
export { updateLost, updateLostPoll } from "./update-lost";
export {
  UPDATE_BUFFER,
  UPDATE_BUFFER_BYTES,
  UPDATE_CANDIDATE,
  UPDATE_CONFIG,
  UPDATE_INPUT,
  UPDATE_INPUT_BYTES,
  UPDATE_OUTPUT,
} from "./update-memory";
export { updateAddress, updateDone, updateLength, updateNext, updateSlot } from "./update-steps";
/**
 * Entry of `update.wasm`: the device's side of an update. It takes frames and says which action is due; the host has the
 * flash, the boot record and the link. include/update_core.h says how to drive it, protocol/SPEC.md section 8 what it does.
 */
// biome-ignore lint/style/useExportType: values that the compiler provides
export { __heap_base as UPDATE_MEMORY_BYTES };

const SECTOR_BYTES_LEAST: u32 = 512;
const WRITE_UNIT_MOST: u32 = 32;
const CHUNK_BYTES_MOST: u32 = 256;
const TARGET_BYTES_MOST: u32 = 32;
const KEYS_MOST: u32 = 4;
const NO_SLOT: u32 = 255;
const SHA256_BYTES: i32 = 32;

/** Begin, once the configuration block is written. @returns 0 or UPDATE_STATUS_CONFIG */
export function updateOpen(nowMs: u32): i32 {
  if (!isSound()) return UPDATE_STATUS_CONFIG;
  nameKeys();
  memory.fill(UPDATE_CANDIDATE, 0, UPDATE_CANDIDATE_BYTES);
  memory.fill(RUNNING_SHA256, 0, SHA256_BYTES);
  if (configByte(UPDATE_CONFIG_RUNNING_FORM) != 0)
    copy(RUNNING_SHA256, UPDATE_CONFIG + UPDATE_CONFIG_MODEL, SHA256_BYTES);
  setPhase(configByte(UPDATE_CONFIG_IS_TRYING) != 0 ? UPDATE_PHASE_TRYING : UPDATE_PHASE_IDLE);
  setSid(configWord(UPDATE_CONFIG_SID));
  setNext(0);
  setVerdict(configByte(UPDATE_CONFIG_LAST_VERDICT), configWord(UPDATE_CONFIG_LAST_DETAIL));
  setAnswerDue(false);
  setAcknowledged(0);
  setTriedAtMs(nowMs);
  updateLost(0, 0);
  startLoading();
  return 0;
}

/** Frames of this boot's epoch that the link has had acknowledged. */
export function updateAcknowledged(frames: i32): void {
  setAcknowledged(frames);
}

/** Most bytes of stack seen in use. */
export function updateStackHighWater(bytes: u32): void {
  setStackBytes(bytes);
}

function isSound(): bool {
  const sector = configWord(UPDATE_CONFIG_SECTOR_BYTES);
  const unit = configWord(UPDATE_CONFIG_WRITE_UNIT);
  const slot = configWord(UPDATE_CONFIG_SLOT_BYTES);
  const body = configWord(UPDATE_CONFIG_BODY_OFFSET);
  const running = configByte(UPDATE_CONFIG_RUNNING_SLOT);
  const forms = configByte(UPDATE_CONFIG_RUNNING_FORM) | configByte(UPDATE_CONFIG_TAKES_FORM);
  if (!isPower(sector) || sector < SECTOR_BYTES_LEAST || !isPower(unit) || unit > WRITE_UNIT_MOST) return false;
  if ((slot & (sector - 1)) != 0 || (body & (unit - 1)) != 0 || body >= slot) return false;
  if (body < ((<u32>UPDATE_HEAD_BYTES + unit - 1) & ~(unit - 1))) return false;
  if (!isPower(chunkLimit()) || chunkLimit() > CHUNK_BYTES_MOST || chunkLimit() < unit) return false;
  if ((running > 1 && running != NO_SLOT) || forms > <u32>UPDATE_FORM_MODULE) return false;
  const target = configByte(UPDATE_CONFIG_TARGET_LENGTH);
  const keys = configByte(UPDATE_CONFIG_KEY_COUNT);
  if (target - 1 >= TARGET_BYTES_MOST || keys - 1 >= KEYS_MOST) return false;
  for (let k: u32 = 0; k < keys; k++) {
    if (load<u8>(UPDATE_CONFIG + UPDATE_CONFIG_KEYS + k * UPDATE_KEY_BYTES) > <u8>UPDATE_KEY_HMAC_SHA256) return false;
  }
  return true;
}

function isPower(value: u32): bool {
  return value != 0 && (value & (value - 1)) == 0;
}
