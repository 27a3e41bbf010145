/*
 * The update machine in C: `update.wasm`, compiled by wasm2c under the module name `update`, under C names and with their
 * true types.
 *
 *     npx wasm2c update.wasm -n update -o update.c   makes update.c and update.h, which this header stands on
 *
 * It decides everything about an update and touches no flash: the host carries out its actions, one at a time, and
 * tells how each went. Frames, phases, verdicts, manifest: protocol/SPEC.md, section 8. Every exported function is here
 * as NAME in snake case, and every exported constant as itself; a test compares them with the module. One instance is
 * one device; nothing here allocates, blocks or keeps a pointer of the caller's.
 *
 *     boot: fill the configuration block ──▶ update_open ──▶ loop:
 *       a message came:  copy it to update_input, update_receive   0: it is none of mine, give it to the link
 *       update_next: an action?  do it ──▶ update_done             one a turn, so that samples go on between
 *       update_poll: a message?  send it where frames go
 *       the link had frames of this epoch acknowledged: update_acknowledged(how many in all)
 *
 * Between update_next and its update_done no other function may be called but update_poll.
 */
#ifndef UPDATE_CORE_H
#define UPDATE_CORE_H

#include "update.h"

typedef w2c_update update_core;
typedef uint32_t update_address;

/** Of the interface between a resident part and a package: what a manifest's `abi` must be. */
#define UPDATE_ABI_VERSION 1

/* ---- memory: addresses are functions below ---- */

#define UPDATE_INPUT_BYTES 512        /* longest message that it takes, at update_input() */
#define UPDATE_BUFFER_BYTES 256       /* most bytes of one PROGRAM or READ, at update_buffer() */
#define UPDATE_CONFIG_BYTES 268       /* at update_config() */
#define UPDATE_CANDIDATE_BYTES 124    /* at update_candidate() */

/* ---- configuration block: offsets; u32 little-endian unless said otherwise, zeros elsewhere ---- */

#define UPDATE_CONFIG_ABI 0           /* UPDATE_ABI_VERSION */
#define UPDATE_CONFIG_NONCE 4         /* of this boot, the same as the link's */
#define UPDATE_CONFIG_SLOT_BYTES 8    /* of one slot, its head included: whole sectors */
#define UPDATE_CONFIG_SECTOR_BYTES 12 /* what one ERASE takes, a power of two, 512 at least */
#define UPDATE_CONFIG_WRITE_UNIT 16   /* bytes that are programmed together, a power of two, 1..32; erased bytes read 0xff */
#define UPDATE_CONFIG_BODY_OFFSET 20  /* where a body begins in its slot: UPDATE_HEAD_BYTES at least, in whole write units */
#define UPDATE_CONFIG_MEMORY_LIMIT 24 /* most linear memory that a module may need, bytes; images are not held to it */
#define UPDATE_CONFIG_CONFIRM_MS 28   /* longest wait for the confirmation of what is tried, ms; 0: no limit */
#define UPDATE_CONFIG_RUNNING_VERSION 32
#define UPDATE_CONFIG_CONFIRMED_VERSION 36 /* highest that was ever confirmed: from the boot record */
#define UPDATE_CONFIG_SID 40          /* from the boot record: of the last SWITCH, 0 none */
#define UPDATE_CONFIG_LAST_DETAIL 44  /* from the boot record: what the last GO_BACK, or the boot, said */
#define UPDATE_CONFIG_TRAPS 48        /* u16: times that an application trapped or hung */
#define UPDATE_CONFIG_CHUNK_BYTES 50  /* u16: largest data of a chunk, a power of two, the write unit..256; 0: 256 */
#define UPDATE_CONFIG_RUNNING_SLOT 52 /* u8: 0, 1, or 255 for what came with the firmware and is in neither */
#define UPDATE_CONFIG_RUNNING_FORM 53 /* u8: UPDATE_FORM_ */
#define UPDATE_CONFIG_TAKES_FORM 54   /* u8: UPDATE_FORM_ of the packages that this device takes */
#define UPDATE_CONFIG_IS_TRYING 55    /* u8: 1 while what runs is not confirmed yet */
#define UPDATE_CONFIG_LAST_VERDICT 56 /* u8: UPDATE_VERDICT_ of the last GO_BACK, or of the boot itself; 0 after a KEEP */
#define UPDATE_CONFIG_TARGET_LENGTH 57 /* u8: 1..32 */
#define UPDATE_CONFIG_KEY_COUNT 58    /* u8: 1..4 */
#define UPDATE_CONFIG_MODEL 60        /* 32 bytes: SHA-256 of the module that runs */
#define UPDATE_CONFIG_TARGET 92       /* text of the length above, in 32 bytes */
#define UPDATE_CONFIG_KEYS 124        /* four of UPDATE_KEY_BYTES: algorithm u8 (UPDATE_KEY_), three zeros, 32 bytes */
#define UPDATE_KEY_BYTES 36
#define UPDATE_KEY_ED25519 0          /* the 32 bytes are the public key */
#define UPDATE_KEY_HMAC_SHA256 1      /* the 32 bytes are the secret */
#define UPDATE_FORM_IMAGE 0
#define UPDATE_FORM_MODULE 1

/*
 * ---- a slot: its head, the body at UPDATE_CONFIG_BODY_OFFSET, and what the host puts behind the body at TEST (a
 * module's index). All sectors that head and body cover are erased before the head is written; of a module all sectors
 * of the slot. The head is written once, when its signature was found good, and padded with 0xff to the write unit.
 * Offsets in it; little-endian: ----
 */

#define UPDATE_HEAD_CRC 0             /* u32: CRC-32/ISO-HDLC of what follows, to the end of the manifest */
#define UPDATE_HEAD_MANIFEST_LENGTH 4 /* u16: 1..256 */
#define UPDATE_HEAD_ALGORITHM 6       /* u8: UPDATE_KEY_; a zero behind it */
#define UPDATE_HEAD_KEY 8             /* 8 bytes: id of the key */
#define UPDATE_HEAD_SIGNATURE 16      /* 64 bytes; for HMAC-SHA256 32, and zeros */
#define UPDATE_HEAD_MANIFEST 80       /* the manifest */
#define UPDATE_HEAD_BYTES 336         /* of the longest */

/*
 * ---- what the package under way says, at update_candidate() while the phase is not idle; offsets, u32 little-endian
 * unless said otherwise. While trying, and before the first update, it is zeros ----
 */

#define UPDATE_CANDIDATE_SID 0
#define UPDATE_CANDIDATE_VERSION 4
#define UPDATE_CANDIDATE_LENGTH 8       /* of the body, bytes */
#define UPDATE_CANDIDATE_MEMORY 12      /* bytes of linear memory */
#define UPDATE_CANDIDATE_STACK 16       /* bytes, 0: it does not matter */
#define UPDATE_CANDIDATE_TEST_SEED 20
#define UPDATE_CANDIDATE_TEST_SAMPLES 24 /* u16 */
#define UPDATE_CANDIDATE_TEST_CHANNELS 26 /* u8 */
#define UPDATE_CANDIDATE_FORM 27        /* u8 */
#define UPDATE_CANDIDATE_SHA256 28      /* 32 bytes: of the body */
#define UPDATE_CANDIDATE_MODEL 60       /* 32 bytes: of the module */
#define UPDATE_CANDIDATE_TEST_DIGEST 92 /* 32 bytes: what the self-test must come to */

/* ---- actions ---- */

#define UPDATE_ACTION_NONE 0
#define UPDATE_ACTION_ERASE 1   /* the sector at slot, address; length is its size */
#define UPDATE_ACTION_PROGRAM 2 /* length bytes of update_buffer() to slot, address: whole write units of erased flash */
#define UPDATE_ACTION_READ 3    /* length bytes at slot, address, into update_buffer() */
#define UPDATE_ACTION_TEST 4    /* check the body in the slot, and run its self-test; it may be asked for again after a reset */
#define UPDATE_ACTION_SWITCH 5  /* boot record: sid (update_address()), try slot; then restart with a new nonce. Done with
                                   UPDATE_VERDICT_BUSY where frames are still to be sent: it stays READY */
#define UPDATE_ACTION_KEEP 6    /* boot record: slot is confirmed, its version (update_address()) the highest, no verdict */
#define UPDATE_ACTION_GO_BACK 7 /* boot record: not this slot, verdict (update_length()), detail (update_address()); restart */
#define UPDATE_ACTION_WORK 8    /* nothing: a part of a signature is verified in update_done() */

/* ---- phases and verdicts, as a state says them ---- */

#define UPDATE_PHASE_IDLE 0
#define UPDATE_PHASE_ERASING 1
#define UPDATE_PHASE_RECEIVING 2
#define UPDATE_PHASE_VERIFYING 3
#define UPDATE_PHASE_READY 4
#define UPDATE_PHASE_SWITCHING 5
#define UPDATE_PHASE_TRYING 6
#define UPDATE_PHASE_REVERTING 7

#define UPDATE_VERDICT_NONE 0
#define UPDATE_VERDICT_BAD_MANIFEST 1
#define UPDATE_VERDICT_UNKNOWN_KEY 2
#define UPDATE_VERDICT_BAD_SIGNATURE 3
#define UPDATE_VERDICT_VERSION_GOES_BACK 4 /* detail: the version confirmed */
#define UPDATE_VERDICT_WRONG_TARGET 5      /* or a form that the device does not take */
#define UPDATE_VERDICT_WRONG_ABI 6         /* detail: the device's */
#define UPDATE_VERDICT_WRONG_SLOT 7        /* detail: the slot that is free */
#define UPDATE_VERDICT_TOO_LONG 8          /* detail: most bytes of a body */
#define UPDATE_VERDICT_TOO_MUCH_MEMORY 9   /* detail: most bytes */
#define UPDATE_VERDICT_FLASH_FAILED 10     /* detail: what update_done() was told */
#define UPDATE_VERDICT_BAD_CHUNK 11        /* detail: the chunk's offset */
#define UPDATE_VERDICT_BAD_DIGEST 12
#define UPDATE_VERDICT_MODULE_REFUSED 13   /* detail: the host's, as update_done() was told */
#define UPDATE_VERDICT_SELF_TEST_DIFFERS 14
#define UPDATE_VERDICT_TRAPPED 15
#define UPDATE_VERDICT_WATCHDOG 16
#define UPDATE_VERDICT_NOT_CONFIRMED 17
#define UPDATE_VERDICT_ABORTED 18
#define UPDATE_VERDICT_BUSY 19
#define UPDATE_VERDICT_WRONG_ORDER 20      /* detail: the next byte wanted */

/* ---- statuses ---- */

#define UPDATE_STATUS_CONFIG (-1)      /* a value of the configuration block is out of its range */
#define UPDATE_STATUS_REFUSED (-2)     /* a malformed or forged flash frame; nothing took effect */
#define UPDATE_STATUS_NOT_FOR_US (-3)  /* a flash frame for another boot; nothing took effect */

/* ---- instance ---- */

/**
 * Start an instance: its static data, and zeros.
 *
 * @param memory  caller-owned as long as the instance is used, update_memory_bytes() at least. NULL where all files are
 *                compiled with WASM_RT_MEMORY_BYTES: it lies in the instance then
 */
static inline void update_start(update_core *core, uint8_t *memory, uint32_t bytes) {
  wasm_rt_lend_memory(memory, bytes, bytes);
  wasm2c_update_instantiate(core);
}

/** The caller's view of `length` bytes at an address; NULL where they are not all inside the memory. */
static inline uint8_t *update_bytes(update_core *core, update_address at, uint32_t length) {
  wasm_rt_memory_t *lent = w2c_update_memory(core);
  return at <= lent->size && length <= lent->size - at ? lent->data + at : NULL;
}

/* Addresses: of the message to hear, the message to send, the configuration block, the buffer of PROGRAM and READ, and
   what the package under way says; and the bytes of memory that it needs in all. */
static inline update_address update_input(update_core *core) { return *w2c_update_UPDATE_INPUT(core); }
static inline update_address update_output(update_core *core) { return *w2c_update_UPDATE_OUTPUT(core); }
static inline update_address update_config(update_core *core) { return *w2c_update_UPDATE_CONFIG(core); }
static inline update_address update_buffer(update_core *core) { return *w2c_update_UPDATE_BUFFER(core); }
static inline update_address update_candidate(update_core *core) { return *w2c_update_UPDATE_CANDIDATE(core); }
static inline update_address update_memory_bytes(update_core *core) { return *w2c_update_UPDATE_MEMORY_BYTES(core); }

/* ---- the machine ---- */

/**
 * Begin, once the configuration block is written; again for another boot. What an earlier boot left in the other slot is
 * found by the first actions.
 *
 * @param now_ms  monotonic, wraps
 * @returns 0 or UPDATE_STATUS_CONFIG
 */
static inline int32_t update_open(update_core *core, uint32_t now_ms) { return (int32_t)w2c_update_updateOpen(core, now_ms); }

/**
 * Hear the message of `length` bytes at update_input(). A begin reads an Ed25519 key and hashes in here, which is the
 * longest step; the rest of the verification is 23 turns of UPDATE_ACTION_WORK.
 *
 * @returns 1: a flash frame for this boot; 0: none, give it to the link; negative: an UPDATE_STATUS_, nothing took effect
 */
static inline int32_t update_receive(update_core *core, int32_t length, uint32_t now_ms) {
  return (int32_t)w2c_update_updateReceive(core, (u32)length, now_ms);
}

/** The action due, an UPDATE_ACTION_: carry it out, then update_done(). After SWITCH and GO_BACK the device restarts. */
static inline int32_t update_next(update_core *core, uint32_t now_ms) { return (int32_t)w2c_update_updateNext(core, now_ms); }

/* Of the action due: the slot, the address in it, and the bytes; what the last two are to SWITCH, KEEP and GO_BACK stands there. */
static inline int32_t update_slot(update_core *core) { return (int32_t)w2c_update_updateSlot(core); }
static inline uint32_t update_action_address(update_core *core) { return w2c_update_updateAddress(core); }
static inline uint32_t update_action_length(update_core *core) { return w2c_update_updateLength(core); }

/**
 * Say how the action went.
 *
 * @param result  0 done; else, of a TEST an UPDATE_VERDICT_, of others anything
 * @param detail  what the state should say about a failure
 */
static inline void update_done(update_core *core, int32_t result, uint32_t detail, uint32_t now_ms) {
  w2c_update_updateDone(core, (u32)result, detail, now_ms);
}

/** Frames of this boot's epoch that the link has had acknowledged: what is tried is confirmed only after one. */
static inline void update_acknowledged(update_core *core, int32_t frames) { w2c_update_updateAcknowledged(core, (u32)frames); }

/** Most bytes of stack seen in use, for the state. */
static inline void update_stack_high_water(update_core *core, uint32_t bytes) { w2c_update_updateStackHighWater(core, bytes); }

/** Compose the message due at update_output(). @returns its bytes, 0 none */
static inline int32_t update_poll(update_core *core) { return (int32_t)w2c_update_updatePoll(core); }

/**
 * Say, after update_open(), that what an earlier boot had of an epoch can be sent by no boot any more: the model that made it
 * was left. The cloud is told until it knows.
 *
 * @param end  seq after its last frame
 */
static inline void update_lost(update_core *core, uint32_t epoch, uint32_t end) { w2c_update_updateLost(core, epoch, end); }

/**
 * Compose at update_output() what is lost, if it is to be said by now. Call it only while the link is live.
 *
 * @returns its bytes; 0: not now; -1: nothing is lost, or the cloud knows it
 */
static inline int32_t update_lost_poll(update_core *core, int64_t time_us, uint32_t now_ms) {
  return (int32_t)w2c_update_updateLostPoll(core, (u64)time_us, now_ms);
}

#endif
