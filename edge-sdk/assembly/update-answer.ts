/** The one frame that a device says about updates: its state. protocol/SPEC.md, section 8.3. */
import {
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_TEXT,
  writeBegin,
  writeHash,
  writeHeader,
  writePosition,
  writeString,
  writeUint,
} from "./cbor";
import { hashBytes } from "./hash";
import { FLASH_HEAD, OP_STATE } from "./update-frames";
import {
  configByte,
  configWord,
  KEY_IDS,
  UPDATE_BUFFER_BYTES,
  UPDATE_CONFIG,
  UPDATE_CONFIG_ABI,
  UPDATE_CONFIG_BODY_OFFSET,
  UPDATE_CONFIG_CHUNK_BYTES,
  UPDATE_CONFIG_CONFIRMED_VERSION,
  UPDATE_CONFIG_KEY_COUNT,
  UPDATE_CONFIG_KEYS,
  UPDATE_CONFIG_MODEL,
  UPDATE_CONFIG_NONCE,
  UPDATE_CONFIG_RUNNING_FORM,
  UPDATE_CONFIG_RUNNING_SLOT,
  UPDATE_CONFIG_RUNNING_VERSION,
  UPDATE_CONFIG_SLOT_BYTES,
  UPDATE_CONFIG_TARGET,
  UPDATE_CONFIG_TARGET_LENGTH,
  UPDATE_CONFIG_TRAPS,
  UPDATE_KEY_BYTES,
  UPDATE_OUTPUT,
} from "./update-memory";
import { answerDue, detail, isLoading, next, phase, setAnswerDue, sid, stackBytes, verdict } from "./update-state";

const STATE_ELEMENTS: u32 = 18;
const RUNNING_ELEMENTS: u32 = 4;
const KEY_ELEMENTS: u32 = 2;
const KEY_ID_BYTES: i32 = 8;
const MODEL_BYTES: i32 = 32;
const SEAL_BYTES: usize = 4;

/** Largest data of a chunk. */
export function chunkLimit(): u32 {
  const given = load<u16>(UPDATE_CONFIG + UPDATE_CONFIG_CHUNK_BYTES);
  return given == 0 ? UPDATE_BUFFER_BYTES : given;
}

/** Most bytes of a body. */
export function bodyLimit(): u32 {
  return configWord(UPDATE_CONFIG_SLOT_BYTES) - configWord(UPDATE_CONFIG_BODY_OFFSET);
}

/** Compose the state at UPDATE_OUTPUT, if it is due. @returns its bytes, 0 none */
export function updatePoll(): i32 {
  if (!answerDue || isLoading()) return 0;
  setAnswerDue(false);
  writeBegin(UPDATE_OUTPUT);
  writeHeader(MAJOR_ARRAY, STATE_ELEMENTS);
  writeUint(FLASH_HEAD);
  writeUint(configWord(UPDATE_CONFIG_NONCE));
  writeUint(OP_STATE);
  writeUint(sid);
  writeUint(phase);
  writeUint(next);
  writeUint(verdict);
  writeUint(detail);
  writeHeader(MAJOR_ARRAY, RUNNING_ELEMENTS);
  writeUint(configByte(UPDATE_CONFIG_RUNNING_SLOT));
  writeUint(configByte(UPDATE_CONFIG_RUNNING_FORM));
  writeUint(configWord(UPDATE_CONFIG_RUNNING_VERSION));
  writeString(MAJOR_BYTES, UPDATE_CONFIG + UPDATE_CONFIG_MODEL, MODEL_BYTES);
  writeUint(configWord(UPDATE_CONFIG_CONFIRMED_VERSION));
  writeUint(bodyLimit());
  writeUint(chunkLimit());
  writeString(MAJOR_TEXT, UPDATE_CONFIG + UPDATE_CONFIG_TARGET, configByte(UPDATE_CONFIG_TARGET_LENGTH));
  writeUint(configWord(UPDATE_CONFIG_ABI));
  const keys = configByte(UPDATE_CONFIG_KEY_COUNT);
  writeHeader(MAJOR_ARRAY, keys);
  for (let k: u32 = 0; k < keys; k++) {
    writeHeader(MAJOR_ARRAY, KEY_ELEMENTS);
    writeUint(configByte(UPDATE_CONFIG_KEYS + k * UPDATE_KEY_BYTES));
    writeString(MAJOR_BYTES, KEY_IDS + <usize>(k << 3), KEY_ID_BYTES);
  }
  writeUint(load<u16>(UPDATE_CONFIG + UPDATE_CONFIG_TRAPS));
  writeUint(stackBytes);
  writeHash(hashBytes(0, UPDATE_OUTPUT, <i32>(writePosition() - UPDATE_OUTPUT)), SEAL_BYTES);
  return <i32>(writePosition() - UPDATE_OUTPUT);
}
