/*
 * The core in C: codec and link of `device.wasm` or, with EDGE_GATEWAY defined, of `gateway.wasm`, compiled by wasm2c,
 * under C names and with their true types.
 *
 *     npx wasm2c device.wasm -n core -o core.c       makes core.c and core.h, which this header stands on
 *     gcc -I edge-sdk/include -I firmware-examples/board-support -c core.c wasm-rt.c your-program.c
 *     npx wasm2c gateway.wasm -n core -o core.c      instead, and then gcc -DEDGE_GATEWAY ... : it can look ahead
 *
 * Made with sim/qemu-wasm-runner/bin/compact-wasm2c.js in place of wasm2c, the same C takes less code.
 *
 * Every exported function is here as edge_NAME, its name in snake case, and every exported constant as EDGE_NAME; a
 * test compares them with the module. An *address* is an offset into the module's memory: take room from
 * edge_free_address() on, and reach it with edge_bytes(). Nothing here allocates, blocks or keeps a pointer of the
 * caller's. Where an answer is a status, a negative one is an EDGE_STATUS_ and nothing was changed, unless said
 * otherwise. One instance is one device; instances share nothing.
 *
 * Words and frames: protocol/SPEC.md. A complete program: firmware-examples/linux-host.
 */
#ifndef EDGE_CORE_H
#define EDGE_CORE_H

#include "core.h"

typedef w2c_core edge_core;
typedef uint32_t edge_address;

/* ---- limits ---- */

#define EDGE_MAX_CHANNELS 16          /* of one device */
#define EDGE_MAX_BOUND 1073741823     /* largest error bound e, sample units */
#define EDGE_MAX_HISTORY_SHIFT 25
#define EDGE_MAX_CHANNEL_BYTES 32     /* one channel of one row, at the very most */
#define EDGE_FLUSH_BYTES 4            /* held back until a frame ends */
#define EDGE_CONFIG_BYTES 328         /* configuration block at edge_config_address() */
#define EDGE_OUT_BYTES_LEAST 64       /* buffer of edge_link_memory() for messages in parts, with a name of up to 40 bytes */
#define EDGE_SEAL_BYTES 5             /* behind everything else in a message */
#define EDGE_NOTES_BYTES 48           /* behind the configuration block */
#define EDGE_SCRATCH_BYTES 88         /* at edge_link_view() */
#define EDGE_TABLES_END 312           /* below it is nothing but tables, which stay in flash where the build lets them */
#define EDGE_FRAME_EVENTS 1           /* flags of a frame to decode; never both */
#define EDGE_FRAME_LINES 2
#define EDGE_EFFORT_GREEDY 1          /* lookaheads, which gateway.wasm has: longest lines, cheapest lines */
#define EDGE_EFFORT_PROGRAMME 2

/* ---- sample statuses ---- */

#define EDGE_SAMPLE_OK 0
#define EDGE_SAMPLE_INVALID 1         /* nothing was measured; the prediction is frozen */
#define EDGE_SAMPLE_SATURATED 2       /* the sensor's end of scale: coded, flagged, outside the promise */

/* ---- statuses of the codec ---- */

#define EDGE_STATUS_CHANNEL_COUNT (-1)         /* not 1..16 channels */
#define EDGE_STATUS_CHANNEL_INDEX (-2)         /* no such channel */
#define EDGE_STATUS_BOUND_RANGE (-3)           /* e outside 0..EDGE_MAX_BOUND */
#define EDGE_STATUS_LATTICE_RANGE (-4)         /* spacing below 1, or a bin of 2^31 and more */
#define EDGE_STATUS_HISTORY_SHIFT (-5)         /* outside 0..EDGE_MAX_HISTORY_SHIFT, or a history bin past 2^33 */
#define EDGE_STATUS_EVENT_IN_PLAIN_FRAME (-6)  /* a status other than ok, in a frame begun without events */
#define EDGE_STATUS_OFF_LATTICE (-7)           /* a sample that is not on the lattice its channel claims */
#define EDGE_STATUS_OUTPUT_FULL (-8)           /* too little room for the worst possible row */
#define EDGE_STATUS_CORRUPT (-9)               /* a code that no encoder writes; the state is worthless */
#define EDGE_STATUS_NOT_CANONICAL (-10)        /* decoded, yet not the bytes that an encoder would have written */
#define EDGE_STATUS_NO_BASE (-11)              /* quiet rows asked of a channel without a first sample */
#define EDGE_STATUS_SAMPLE_STATUS (-12)        /* a sample status outside 0..2 */

/* ---- statuses of the link ---- */

#define EDGE_STATUS_LINK_NOT_OPEN (-32)
#define EDGE_STATUS_LINK_CONFIG (-33)     /* a value outside its range, or a step left out */
#define EDGE_STATUS_OUT_SMALL (-34)       /* the buffer cannot hold the birth, or the largest row in its frame */
#define EDGE_STATUS_RING_SMALL (-35)      /* fewer than five of the largest records */
#define EDGE_STATUS_RING_EMPTY (-36)      /* nothing of an earlier boot: open instead */
#define EDGE_STATUS_RING_FOREIGN (-37)    /* frames of another configuration */
#define EDGE_STATUS_EPOCH_EXHAUSTED (-38) /* open anew with the next epoch */
#define EDGE_STATUS_REFUSED_FRAME (-39)   /* a malformed, forged or impossible message; nothing took effect */
#define EDGE_STATUS_NOT_FOR_US (-40)      /* for another boot, or the link is down; nothing took effect */

/* ---- instance ---- */

/**
 * Start an instance: its static data, and zeros.
 *
 * @param memory  caller-owned as long as the instance is used: edge_free_address() of the most channels it will have,
 *                and what the caller takes after that; an access beyond it traps (wasm-rt.h). NULL where all files
 *                are compiled with WASM_RT_MEMORY_BYTES: it lies in the instance then, which is faster
 * @param bytes   its size, at most 65,536, and WASM_RT_MEMORY_BYTES where that is given; a gateway's at most 1,048,576
 */
static inline void edge_start(edge_core *core, uint8_t *memory, uint32_t bytes) {
  wasm_rt_lend_memory(memory, bytes, bytes);
  wasm2c_core_instantiate(core);
}

/** The caller's view of `length` bytes at an address; NULL where they are not all inside the memory. */
static inline uint8_t *edge_bytes(edge_core *core, edge_address at, uint32_t length) {
  wasm_rt_memory_t *lent = w2c_core_memory(core);
  return at <= lent->size && length <= lent->size - at ? lent->data + at : NULL;
}

/* First byte that no configuration uses. */
static inline edge_address edge_heap_base(edge_core *core) { return *w2c_core_0x5F_heap_base(core); }

/** First byte that the configured device leaves to the caller, 8-byte aligned; call it after the channels are set. */
static inline edge_address edge_free_address(edge_core *core) { return w2c_core_freeAddress(core); }

/* ---- codec: samples to payloads and back, without the link ---- */

/**
 * Address of the configuration block, EDGE_CONFIG_BYTES, and EDGE_NOTES_BYTES behind it. The block's last EDGE_CONFIG_BYTES /
 * EDGE_MAX_CHANNELS bytes for each channel fewer than EDGE_MAX_CHANNELS are the caller's, up to edge_spare_end(), from
 * setting the channel count until it is set again. From there to the end of the notes they are its own between two calls
 * only: each row that is coded overwrites them.
 */
static inline edge_address edge_config_address(edge_core *core) { return w2c_core_configAddress(core); }
static inline edge_address edge_spare_end(edge_core *core) { return w2c_core_spareEnd(core); }

/**
 * Address of the state block, edge_state_bytes(channels, history_shift); its first edge_persistent_bytes(...) are the
 * snapshot. The history shift is the largest of the channels: beyond 2, histories take 32 bits an entry instead of 16.
 */
static inline edge_address edge_state_address(edge_core *core) { return w2c_core_stateAddress(core); }
static inline int32_t edge_state_bytes(edge_core *core, int32_t channels, int32_t history_shift) {
  return (int32_t)w2c_core_stateBytes(core, (u32)channels, (u32)history_shift);
}
static inline int32_t edge_persistent_bytes(edge_core *core, int32_t channels, int32_t history_shift) {
  return (int32_t)w2c_core_persistentBytes(core, (u32)channels, (u32)history_shift);
}

/** Set the channel count, 1..16; every channel lossless. Then edge_codec_set_channel, then edge_codec_reset. @returns 0 or a status */
static inline int32_t edge_codec_configure(edge_core *core, int32_t channels) {
  return (int32_t)w2c_core_codecConfigure(core, (u32)channels);
}

/**
 * Set one channel's bound.
 *
 * @param e              largest error, sample units, 0 (lossless) .. EDGE_MAX_BOUND
 * @param lattice        spacing of the samples, sample units, 1 = none claimed
 * @param history_shift  smallest h for which the signal's range / ((2e + 1) << h) is at most 2^7; from 3 on the whole
 *                       device has histories of 32 bits, until edge_codec_configure or edge_link_begin
 * @returns 0 or a status
 */
static inline int32_t edge_codec_set_channel(edge_core *core, int32_t channel, int32_t e, int32_t lattice, int32_t history_shift) {
  return (int32_t)w2c_core_codecSetChannel(core, (u32)channel, (u32)e, (u32)lattice, (u32)history_shift);
}

/** Make the state cold, on both ends, before the first frame and at every keyframe. */
static inline void edge_codec_reset(edge_core *core) { w2c_core_codecReset(core); }

/** Begin to encode a frame into `capacity` bytes at `out`. @param has_events  0: every sample will be ok */
static inline void edge_encode_begin(edge_core *core, int32_t has_events, edge_address out, int32_t capacity) {
  w2c_core_encodeBegin(core, (u32)has_events, out, (u32)capacity);
}

/**
 * Encode (count, C) rows, row-major, of C channels: i32 samples, u8 statuses or address 0 for all ok.
 *
 * @returns rows encoded, or the status of the very first
 */
static inline int32_t edge_encode_rows(edge_core *core, edge_address samples, edge_address statuses, int32_t count) {
  return (int32_t)w2c_core_encodeRows(core, samples, statuses, (u32)count);
}

/** 1 while the frame in hand holds nothing but zero residuals: it may be left out and replayed as quiet rows. */
static inline int32_t edge_encode_is_quiet(edge_core *core) { return (int32_t)w2c_core_encodeIsQuiet(core); }

/** End the frame. @returns payload bytes, 0 when it is quiet */
static inline int32_t edge_encode_end(edge_core *core) { return (int32_t)w2c_core_encodeEnd(core); }

/**
 * Begin to decode a payload of `length` bytes at `input`, which holds `rows` rows; without bytes they are quiet.
 *
 * @param flags  what the frame's span says: 0, EDGE_FRAME_EVENTS or EDGE_FRAME_LINES
 * @returns 0 or EDGE_STATUS_CORRUPT
 */
static inline int32_t edge_decode_begin(edge_core *core, uint32_t flags, uint32_t rows, edge_address input, int32_t length) {
  return (int32_t)w2c_core_decodeBegin(core, flags, rows, input, (u32)length);
}

/** Decode rows into (count, C) i32 and u8, row-major; statuses may be address 0. @returns count or a status */
static inline int32_t edge_decode_rows(edge_core *core, edge_address samples, edge_address statuses, int32_t count) {
  return (int32_t)w2c_core_decodeRows(core, samples, statuses, (u32)count);
}

/** End a decoded frame. @returns 0 or EDGE_STATUS_NOT_CANONICAL, the state then being worthless */
static inline int32_t edge_decode_end(edge_core *core) { return (int32_t)w2c_core_decodeEnd(core); }

/** Advance by quiet rows, written to (count, C) i32. @returns count or EDGE_STATUS_NO_BASE */
static inline int32_t edge_replay_quiet_rows(edge_core *core, edge_address samples, int32_t count) {
  return (int32_t)w2c_core_replayQuietRows(core, samples, (u32)count);
}

/** Hash of what both ends share: equal states, equal hashes. */
static inline uint32_t edge_state_hash(edge_core *core) { return w2c_core_stateHash(core); }

/*
 * ---- link: what the device is. In this order: begin, memory, describe, every channel, then open or restore. Before memory is
 * given away, edge_codec_set_channel for each channel: their history shifts decide what edge_free_address is ----
 */

/**
 * Begin a configuration; a link that was open is closed.
 *
 * @param frame_samples  nominal samples of a frame, 1..65,535
 * @param silence_ms     longest time without a frame while live, >= 1
 * @param mtu            longest message that the transport takes, bytes; 0 no limit, else >= 32
 * @returns 0 or a status
 */
static inline int32_t edge_link_begin(edge_core *core, int32_t channels, int32_t frame_samples, int32_t silence_ms, int32_t mtu) {
  return (int32_t)w2c_core_linkBegin(core, (u32)channels, (u32)frame_samples, (u32)silence_ms, (u32)mtu);
}

/**
 * Lend a ring for frames not yet confirmed, and a buffer for messages. With an mtu the buffer holds a whole message, else a
 * longer one goes out in parts: what edge_link_rest() says stays in the ring or the birth.
 *
 * @param out_bytes      of the buffer: message_bytes; without an mtu EDGE_OUT_BYTES_LEAST and, for the birth, 24 and the
 *                       device's name are enough
 * @param message_bytes  longest message with 16 to spare, which bounds a frame
 * @returns 0 or a status
 */
static inline int32_t edge_link_memory(edge_core *core, edge_address ring, int32_t ring_bytes, edge_address out, int32_t out_bytes,
                                       int32_t message_bytes) {
  return (int32_t)w2c_core_linkMemory(core, ring, (u32)ring_bytes, out, (u32)out_bytes, (u32)message_bytes);
}

#ifdef EDGE_GATEWAY
/** Bytes that a lookahead takes for what edge_link_begin configured; 0 for an effort that is none. @param effort  EDGE_EFFORT_ */
static inline int32_t edge_link_lookahead_bytes(edge_core *core, int32_t effort) {
  return (int32_t)w2c_core_linkLookaheadBytes(core, (u32)effort);
}

/**
 * Look ahead in every frame from the next one on; after edge_link_begin and before the link opens.
 *
 * @param at  8-byte aligned, edge_link_lookahead_bytes(effort) that are the link's from now on; 0 to stop
 * @returns 0 or EDGE_STATUS_LINK_CONFIG
 */
static inline int32_t edge_link_lookahead(edge_core *core, edge_address at, int32_t effort) {
  return (int32_t)w2c_core_linkLookahead(core, at, (u32)effort);
}
#endif

/**
 * Describe the device.
 *
 * @param birth      `room` bytes for the birth: 64 and the firmware's name, then per channel 48 and its texts, are enough;
 *                   with less, EDGE_STATUS_OUT_SMALL once a part might not fit
 * @param device     its name, 1..64 bytes of [A-Za-z0-9_-] that stay in place
 * @param period_ns  sample period
 * @param model      32 bytes: SHA-256 of device.wasm, a gateway's too
 * @param firmware   0..32 bytes
 * @returns 0 or a status
 */
static inline int32_t edge_link_describe(edge_core *core, edge_address birth, int32_t room, edge_address device, int32_t device_bytes,
                                         int64_t period_ns, edge_address model, edge_address firmware, int32_t firmware_bytes) {
  return (int32_t)w2c_core_linkDescribe(core, birth, (u32)room, device, (u32)device_bytes, (u64)period_ns, model, firmware,
                                        (u32)firmware_bytes);
}

/**
 * Describe the next channel: value = (x + offset) mantissa 2^exponent, within eps_mantissa 2^eps_exponent.
 *
 * @param name  1..32 bytes, `unit` 0..16 bytes
 * @param e     bound, lattice and history shift as in edge_codec_set_channel
 * @returns bytes that the birth has by now, or a status
 */
static inline int32_t edge_link_channel(edge_core *core, edge_address name, int32_t name_bytes, edge_address unit, int32_t unit_bytes,
                                        int32_t e, int32_t lattice, int32_t history_shift, int64_t offset, int32_t mantissa,
                                        int32_t exponent, int64_t eps_mantissa, int32_t eps_exponent) {
  return (int32_t)w2c_core_linkChannel(core, name, (u32)name_bytes, unit, (u32)unit_bytes, (u32)e, (u32)lattice, (u32)history_shift,
                                       (u64)offset, (u32)mantissa, (u32)exponent, (u64)eps_mantissa, (u32)eps_exponent);
}

/** Open with an empty ring. @param nonce random, new at every boot  @param epoch 0: to be granted  @returns 0 or a status */
static inline int32_t edge_link_open(edge_core *core, uint32_t nonce, uint32_t epoch, uint32_t now_ms) {
  return (int32_t)w2c_core_linkOpen(core, nonce, epoch, now_ms);
}

/** Open with what an earlier boot left in the ring. @returns frames adopted or a status */
static inline int32_t edge_link_restore(edge_core *core, uint32_t nonce, uint32_t now_ms) {
  return (int32_t)w2c_core_linkRestore(core, nonce, now_ms);
}

/* ---- link: samples in, messages in and out. now_ms is monotonic and wraps; time_us is the device's clock ---- */

/** Take a row: i32[C] samples, u8[C] statuses. @returns 1 when a frame went into the ring, 0, or a status */
static inline int32_t edge_link_sample(edge_core *core, edge_address samples, edge_address statuses, int64_t time_us, uint32_t now_ms) {
  return (int32_t)w2c_core_linkSample(core, samples, statuses, (u64)time_us, now_ms);
}

/** Close the frame in hand, so that every sample taken can be sent, and ask for an ack. @returns frames unconfirmed, or a status */
static inline int32_t edge_link_flush(edge_core *core, int64_t time_us, uint32_t now_ms) {
  return (int32_t)w2c_core_linkFlush(core, (u64)time_us, now_ms);
}

/** The transport is up: greet. Down: frames gather in the ring. */
static inline void edge_link_connected(edge_core *core, uint32_t now_ms) { w2c_core_linkConnected(core, now_ms); }
static inline void edge_link_disconnected(edge_core *core) { w2c_core_linkDisconnected(core); }

/** Hear one message of the cloud. @returns the kind handled, or a status */
static inline int32_t edge_link_receive(edge_core *core, edge_address message, int32_t length, uint32_t now_ms) {
  return (int32_t)w2c_core_linkReceive(core, message, (u32)length, now_ms);
}

/**
 * Compose the next message that should go out now: at edge_link_message(), and of its bytes edge_link_rest_bytes() at
 * edge_link_rest(), which go in front of its last EDGE_SEAL_BYTES.
 *
 * @returns its length with these, 0 for none, or a status
 */
static inline int32_t edge_link_poll(edge_core *core, int64_t time_us, uint32_t now_ms) {
  return (int32_t)w2c_core_linkPoll(core, (u64)time_us, now_ms);
}

/** Compose a presence; with `online` 0 it is MQTT's last will. @returns as edge_link_poll */
static inline int32_t edge_link_presence(edge_core *core, uint32_t online) { return (int32_t)w2c_core_linkPresence(core, online); }

/** Milliseconds until edge_link_poll may have something; 0: now. */
static inline int32_t edge_link_wake_ms(edge_core *core, uint32_t now_ms) { return (int32_t)w2c_core_linkWakeMs(core, now_ms); }

/* ---- link: how it stands ---- */

/**
 * Write the view: 80 bytes, the table of assembly/link-view.ts. Between two calls its EDGE_SCRATCH_BYTES are the caller's: a
 * row that is coded overwrites them, and so does every function below.
 *
 * @returns its address, always the same
 */
static inline edge_address edge_link_view(edge_core *core) { return w2c_core_linkView(core); }

/** One number of the view, as it stands now. */
static inline uint32_t edge_link_field(edge_core *core, uint32_t offset) {
  const uint8_t *at = edge_bytes(core, edge_link_view(core) + offset, 4);
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/**
 * Address of the message just composed, of its rest, and where it goes: 0 birth, 1 frames, 2 presence. Valid until the next
 * one; the rest of a frame lies in the ring, so it only until a sample is taken or a message heard.
 */
static inline edge_address edge_link_message(edge_core *core) { return edge_link_field(core, 8); }
static inline edge_address edge_link_rest(edge_core *core) { return edge_link_field(core, 72); }
static inline uint32_t edge_link_rest_bytes(edge_core *core) { return edge_link_field(core, 76); }
static inline int32_t edge_link_topic(edge_core *core) { return (int32_t)edge_link_field(core, 12); }
/** 0 down, 1 greeting, 2 live. */
static inline int32_t edge_link_state(edge_core *core) { return (int32_t)edge_link_field(core, 16); }
/** The running epoch, 0 while none is granted; the next frame's seq; the oldest one's in the ring; frames in the ring. */
static inline uint32_t edge_link_epoch(edge_core *core) { return edge_link_field(core, 20); }
static inline uint32_t edge_link_next_seq(edge_core *core) { return edge_link_field(core, 24); }
static inline uint32_t edge_link_oldest_seq(edge_core *core) { return edge_link_field(core, 28); }
static inline uint32_t edge_link_unconfirmed_frames(edge_core *core) { return edge_link_field(core, 32); }
/** Samples taken that no frame in the ring covers yet; bytes of the ring in use; samples it had to drop since boot. */
static inline uint32_t edge_link_pending_samples(edge_core *core) { return edge_link_field(core, 36); }
static inline uint32_t edge_link_ring_used(edge_core *core) { return edge_link_field(core, 40); }
static inline int64_t edge_link_evicted_samples(edge_core *core) {
  return (int64_t)((uint64_t)edge_link_field(core, 4) << 32 | edge_link_field(core, 0));
}
/** Why the cloud refused (protocol/SPEC.md, 3.9), 0 when it did not; the alias granted for MQTT, at most 8 bytes. */
static inline int32_t edge_link_refusal(edge_core *core) { return (int32_t)edge_link_field(core, 44); }
static inline int32_t edge_link_alias_length(edge_core *core) { return (int32_t)edge_link_field(core, 60); }
static inline edge_address edge_link_alias(edge_core *core) { return edge_link_view(core) + 64; }

/**
 * A ring that outlives a boot: before the next message is sent, write bytes [from, to) of the ring (to = 0: none), then
 * its first 96 bytes if the header is dirty, then clear. Offsets from the ring's address.
 */
static inline int32_t edge_link_dirty_from(edge_core *core) { return (int32_t)edge_link_field(core, 48); }
static inline int32_t edge_link_dirty_to(edge_core *core) { return (int32_t)edge_link_field(core, 52); }
static inline int32_t edge_link_header_dirty(edge_core *core) { return (int32_t)edge_link_field(core, 56); }
static inline void edge_link_dirty_clear(edge_core *core) { w2c_core_linkDirtyClear(core); }

#endif
