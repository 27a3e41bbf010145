/*
 * One telemetry device around the core: lays its memory out, and copies samples and messages in and out. Free-standing;
 * the same on a microcontroller and on Linux. It decides nothing that the core decides: no frame, number or timeout.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "byte-span.h"
#include "edge_core.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Longest message of the cloud, an ack with eight holes: array and head 2 bytes, nonce, epoch and through 5 each, the
 * array of holes 1, each hole 5 + 3 (a u32, and a count of at most 2,048), the seal 5 (protocol/SPEC.md, section 3.8).
 */
#define DEVICE_INPUT_BYTES 87
/** Parts that device_poll_parts hands out: what is in front of a payload, the payload, and what is behind. */
#define DEVICE_PARTS 3
/** The lent memory cannot hold the plan; the birth comes last and takes what is left. Below every EDGE_STATUS_. */
#define DEVICE_MEMORY_SMALL (-100)
/** A message longer than DEVICE_INPUT_BYTES: no cloud sends one. */
#define DEVICE_MESSAGE_LONG (-101)

/** One channel: value = (x + offset) mantissa 2^exponent, kept within eps_mantissa 2^eps_exponent. */
typedef struct {
  const char *name; /* 1..32 bytes, unique in the device */
  const char *unit; /* 0..16 bytes */
  int32_t e;        /* the same bound in sample units, rounded down */
  int32_t lattice;  /* spacing of the samples, 1: none claimed */
  int32_t history_shift;
  int64_t offset;
  int32_t mantissa;
  int32_t exponent;
  int64_t eps_mantissa;
  int32_t eps_exponent;
} device_channel;

/** What a device is; the strings are copied. */
typedef struct {
  const char *name;     /* 1..64 bytes of [A-Za-z0-9_-] */
  const char *firmware; /* 0..32 bytes */
  const uint8_t *model; /* 32 bytes: SHA-256 of device.wasm */
  const device_channel *channels;
  int32_t channel_count;
  int32_t frame_samples;
  int32_t silence_ms;
  int32_t mtu; /* longest message, bytes; 0: no limit */
  int32_t ring_bytes;
  int32_t out_bytes; /* a message at its longest; bounds a frame's payload */
  int64_t period_ns;
  bool in_parts; /* messages are taken by device_poll_parts alone: without an mtu they need no buffer of out_bytes */
} device_plan;

typedef struct {
  int32_t channel_count;
  edge_address samples;
  edge_address statuses;
  edge_address ring;
  uint32_t ring_bytes;
  uint32_t record_bytes; /* most that one frame takes in the ring */
  edge_core core;        /* last: its memory may be in it, and what is behind that is far */
} device;

/**
 * Configure a device; then device_open or device_restore.
 *
 * @param memory  caller-owned as long as the device lives, 8-byte aligned: the core's memory, of `bytes` <= 65,536
 * @returns 0, DEVICE_MEMORY_SMALL or an EDGE_STATUS_
 */
int32_t device_begin(device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes);

/** Start with an empty ring. @param epoch  0: the cloud grants one  @returns 0 or a status */
int32_t device_open(device *self, uint32_t nonce, uint32_t epoch, uint32_t now_ms);

/**
 * Start with a ring that an earlier boot left.
 *
 * @param ring  its (ring_bytes) bytes; NULL: they are in the device's own memory already
 * @returns frames adopted or a status
 */
int32_t device_restore(device *self, const uint8_t *ring, uint32_t nonce, uint32_t now_ms);

/**
 * Take one sample of every channel.
 *
 * @param samples   (channel_count) in sample units
 * @param statuses  (channel_count) EDGE_SAMPLE_; NULL: all ok
 * @returns 1 when a frame is ready, 0, or a status
 */
int32_t device_sample(device *self, const int32_t *samples, const uint8_t *statuses, int64_t time_us, uint32_t now_ms);

/** Hear one message. @returns the kind handled, or a status: nothing took effect */
int32_t device_receive(device *self, const uint8_t *message, uint32_t length, uint32_t now_ms);

/**
 * The next message to send, in the parts that it lies in; call until there is none.
 *
 * @param parts  set to its bytes, in this order; some may be empty; valid until any function here is called again
 * @returns its length, 0 for none, or a status
 */
int32_t device_poll_parts(device *self, byte_span parts[DEVICE_PARTS], int64_t time_us, uint32_t now_ms);

/**
 * The same in one piece, for a device that was not planned `in_parts`.
 *
 * @param message  set to its bytes, valid until the next call
 * @returns its length, 0 for none, or a status
 */
int32_t device_poll(device *self, const uint8_t **message, int64_t time_us, uint32_t now_ms);

/** The ring's memory, (ring_bytes), for a host that keeps it through a boot. */
const uint8_t *device_ring(device *self);

#ifdef __cplusplus
}
#endif

#endif
