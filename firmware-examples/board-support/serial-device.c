#include "serial-device.h"

#include "board.h"
#include "device-store.h"
#include "wall-clock.h"

#ifdef SERIAL_DEVICE_LINK_KEY
static const uint8_t LINK_KEY[MAC_LINK_KEY_BYTES] = SERIAL_DEVICE_LINK_KEY;
#endif

static bool put_byte(void *line, uint8_t byte) {
  (void)line;
  return board_write(&byte, 1);
}

int32_t serial_device_begin(serial_device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes, uint32_t nonce,
                            int64_t start_us) {
  const uint8_t end_of_noise = 0;
  self->clock.ms = 0;
  self->start_us = start_us;
#ifdef SERIAL_DEVICE_UPDATES
  const int32_t is_begun = update_device_begin(nonce, board_now_ms());
  if (is_begun < 0) return is_begun;
  serial_reader_begin(&self->reader, update_device_input(), SERIAL_READER_BYTES(SERIAL_INPUT_BYTES));
#else
  serial_reader_begin(&self->reader, self->input, sizeof self->input);
#endif
#ifdef SERIAL_DEVICE_LINK_KEY
  sealed_link_begin(&self->sealed, LINK_KEY, plan->name, nonce);
#endif
  int32_t status = device_begin(&self->link, plan, memory, bytes);
  if (status < 0) return status;
  status = device_store_open(&self->link, nonce, board_now_ms());
  if (status < 0) return status;
#ifdef SERIAL_DEVICE_UPDATES
  update_device_opened(&self->link, status);
#endif
  board_listen(self->received, sizeof self->received);
  board_write(&end_of_noise, 1);
  edge_link_connected(&self->link.core, board_now_ms());
  return status;
}

/** @param statuses  NULL: all ok */
static int32_t take(serial_device *self, const int32_t *samples, const uint8_t *statuses, int64_t time_us, uint32_t now_ms) {
  const int32_t status = device_sample(&self->link, samples, statuses, time_us, now_ms);
  if (status < 0) return status;
#ifdef SERIAL_DEVICE_UPDATES
  if (status > 0) update_device_note(&self->link);
#endif
  return device_store_save(&self->link);
}

int32_t serial_device_sample(serial_device *self, const int32_t *samples, int64_t time_us, uint32_t now_ms) {
  return take(self, samples, NULL, time_us, now_ms);
}

/** Say that there is no reading of this time: the sensor was not asked. */
static int32_t miss_sample(serial_device *self, int64_t time_us, uint32_t now_ms) {
  int32_t samples[EDGE_MAX_CHANNELS];
  uint8_t statuses[EDGE_MAX_CHANNELS];
  memset(samples, 0, sizeof samples);
  memset(statuses, EDGE_SAMPLE_INVALID, sizeof statuses);
  return take(self, samples, statuses, time_us, now_ms);
}

static int32_t receive(serial_device *self, uint32_t length, uint32_t now_ms) {
#ifdef SERIAL_DEVICE_UPDATES
  return update_device_receive(&self->link, self->reader.bytes, length, now_ms);
#else
  return device_receive(&self->link, self->reader.bytes, length, now_ms);
#endif
}

/**
 * Hear what is there, a ring full at most: a line that never rests must not keep the device from its samples.
 *
 * @returns whether a byte was there, or a status
 */
static int32_t hear(serial_device *self, uint32_t now_ms) {
  uint8_t byte = 0;
  int32_t has_heard = 0;
  for (uint32_t left = sizeof self->received; left > 0 && board_read_now(&byte, 1) > 0; left--) {
    int32_t length = serial_reader_push(&self->reader, byte);
    has_heard = 1;
#ifdef SERIAL_DEVICE_LINK_KEY
    if (length > 0) length = (int32_t)sealed_link_open(&self->sealed, self->reader.bytes, (uint32_t)length);
#endif
    if (length <= 0) continue; /* damage on the line, or forged: whoever misses an answer asks again */
#ifdef SERIAL_DEVICE_UPDATES
    if (update_device_hear((uint32_t)length, now_ms)) continue;
#endif
    (void)receive(self, (uint32_t)length, now_ms); /* a refusal means that nothing took effect */
    const int32_t status = device_store_save(&self->link);
    if (status < 0) return status;
  }
  return has_heard;
}

/** Put a message on the line. @param parts  the last one is its seal */
static void say(serial_device *self, byte_span *parts, uint32_t count) {
#ifdef SERIAL_DEVICE_LINK_KEY
  sealed_link_seal(&self->sealed, parts, count);
#else
  (void)self;
#endif
  serial_write_parts(parts, count, put_byte, NULL);
}

#ifdef SERIAL_DEVICE_UPDATES
/** Send a message of the update machine, and do what it wants done. @returns whether there was any of it */
static int32_t update(serial_device *self, uint32_t now_ms) {
  const uint8_t *message = NULL;
  const int64_t time_us = self->start_us + long_clock_at(&self->clock, now_ms) * 1000;
  const int32_t length = update_device_poll(&self->link, &message, time_us, now_ms);
  if (length > EDGE_SEAL_BYTES) {
    const uint32_t before = (uint32_t)length - EDGE_SEAL_BYTES;
    byte_span parts[] = {{message, before}, {message + before, EDGE_SEAL_BYTES}};
    say(self, parts, 2);
  }
  const bool has_more = update_device_act(&self->link, time_us, now_ms);
  return length > 0 || has_more ? 1 : 0;
}
#endif

/**
 * Send one message, if there is one; it leaves only when the store has what it stands for. In a frame of stack of its own, which
 * is free again when an update calculates.
 *
 * @returns whether, or a status
 */
__attribute__((noinline)) static int32_t send_one(serial_device *self, uint32_t now_ms) {
  byte_span parts[DEVICE_PARTS];
  const int64_t time_us = self->start_us + long_clock_at(&self->clock, now_ms) * 1000;
  const int32_t length = device_poll_parts(&self->link, parts, time_us, now_ms);
  if (length <= 0) return length;
  const int32_t status = device_store_save(&self->link);
  if (status < 0) return status;
  say(self, parts, DEVICE_PARTS);
  return 1;
}

/** @param is_idle  whether to sleep when there is nothing to do  @returns ms that the store and an update took, or a status */
static int32_t rest(serial_device *self, uint32_t now_ms, bool is_idle) {
  const int32_t has_heard = hear(self, now_ms);
  if (has_heard < 0) return has_heard;
  int32_t has_sent = send_one(self, now_ms);
  if (has_sent < 0) return has_sent;
  const uint32_t from_ms = board_now_ms();
  int32_t has_worked = device_store_rest(&self->link);
  if (has_worked < 0) return has_worked;
#ifdef SERIAL_DEVICE_UPDATES
  has_worked |= update(self, now_ms);
#endif
  if (has_worked != 0) return (int32_t)(board_now_ms() - from_ms);
  if (is_idle && has_heard == 0 && has_sent == 0) board_wait();
  return 0;
}

int32_t serial_device_rest(serial_device *self, uint32_t now_ms) {
  const int32_t status = rest(self, now_ms, true);
  return status < 0 ? status : 0;
}

/**
 * Rest until a sample is due: once at least, or a device that is late would fall silent.
 *
 * @param held_until_ms  set to the end of the last time in which none was taken: of a hold, or of work of a period or more
 * @returns 0 or a status
 */
static int32_t rest_until(serial_device *self, uint32_t period_ms, int64_t due_ms, int64_t *held_until_ms) {
  bool is_held = false;
  for (;;) {
    const uint32_t now_ms = board_now_ms();
    const int64_t clock_ms = long_clock_at(&self->clock, now_ms);
    if (is_held) *held_until_ms = clock_ms;
#ifdef SERIAL_DEVICE_UPDATES
    is_held = update_device_is_holding();
#endif
    const bool is_due = clock_ms >= due_ms && !is_held;
    const int32_t worked_ms = rest(self, now_ms, !is_due);
    if (worked_ms < 0) return worked_ms;
    /* A sensor that is asked after its sample's period says what was later. */
    if ((uint32_t)worked_ms >= period_ms) *held_until_ms = long_clock_at(&self->clock, board_now_ms());
    if (is_due) return 0;
  }
}

int32_t serial_device_run(serial_device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes, uint32_t period_ms,
                          void (*sense)(uint32_t t, int32_t *samples)) {
  const int64_t start_us = board_unix_us();
  int32_t status = serial_device_begin(self, plan, memory, bytes, board_nonce(), start_us);
  int64_t due_ms = 0;
  int64_t held_until_ms = -1;
  for (uint32_t t = 0; status >= 0; t++) {
    const int64_t time_us = start_us + due_ms * 1000;
    status = rest_until(self, period_ms, due_ms, &held_until_ms);
    if (status < 0) break;
    if (due_ms < held_until_ms) {
      status = miss_sample(self, time_us, board_now_ms());
    } else {
      int32_t samples[EDGE_MAX_CHANNELS];
      sense(t, samples);
      status = serial_device_sample(self, samples, time_us, board_now_ms());
    }
    due_ms += period_ms;
  }
  return status;
}
