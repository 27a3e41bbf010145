/*
 * A serial device whose restart is waited for and does not come, whose store then erases, once shorter than a period and once
 * longer, and whose update erases at last: what it says of the time between. One millisecond passes in each other rest;
 * nothing is on the line.
 *
 *     serial-device-host      prints a line for each sample: its time, its status, and when the sensor was asked (ms; -1: never)
 */
#include <stdio.h>

#include "device.h"

/* In place of update-device.h. */
#define UPDATE_DEVICE_H
#define UPDATE_DEVICE_INPUT_BYTES 128
int32_t update_device_begin(uint32_t nonce, uint32_t now_ms);
uint8_t *update_device_input(void);
bool update_device_hear(uint32_t length, uint32_t now_ms);
int32_t update_device_receive(device *of, const uint8_t *message, uint32_t length, uint32_t now_ms);
void update_device_opened(device *of, int32_t adopted);
void update_device_note(device *of);
int32_t update_device_poll(device *of, const uint8_t **message, int64_t time_us, uint32_t now_ms);
bool update_device_act(device *of, int64_t time_us, uint32_t now_ms);
bool update_device_is_holding(void);

#define SERIAL_DEVICE_UPDATES
#include "serial-device.c"

#define PERIOD_MS 10u
#define HOLDS_FROM_MS 95u
#define HOLDS_UNTIL_MS 135u
#define SHORT_ERASE_MS 171u /* takes 8: the sample of 180 is there in time */
#define LONG_ERASE_MS 203u  /* takes 29: the samples of 210, 220 and 230 have no reading */
#define DUE_ERASE_MS 250u   /* takes 13, when a sample is due: it and that of 260 have none */
#define SAMPLES 30

static uint32_t time_ms;
static int32_t asked_ms = -1;
static uint32_t taken;
static uint8_t input[SERIAL_READER_BYTES(UPDATE_DEVICE_INPUT_BYTES)];

static void sense(uint32_t t, int32_t *samples) {
  samples[0] = (int32_t)t;
  asked_ms = (int32_t)time_ms;
}

int32_t device_sample(device *self, const int32_t *samples, const uint8_t *statuses, int64_t time_us, uint32_t now_ms) {
  (void)self, (void)samples, (void)now_ms;
  printf("%d %d %d\n", (int)(time_us / 1000), statuses == NULL ? 0 : statuses[0], (int)asked_ms);
  asked_ms = -1;
  return ++taken == SAMPLES ? -1 : 0;
}

bool update_device_is_holding(void) {
  return time_ms >= HOLDS_FROM_MS && time_ms < HOLDS_UNTIL_MS;
}

void board_wait(void) {
  time_ms++;
}

uint32_t board_now_ms(void) {
  return time_ms;
}

int64_t board_unix_us(void) {
  return 0;
}

uint32_t board_nonce(void) {
  return 1;
}

int32_t board_read_now(uint8_t *bytes, uint32_t most) {
  (void)bytes, (void)most;
  return 0;
}

bool board_write(const uint8_t *bytes, uint32_t length) {
  (void)bytes, (void)length;
  return true;
}

void board_listen(uint8_t *ring, uint32_t bytes) {
  (void)ring, (void)bytes;
}

int32_t update_device_begin(uint32_t nonce, uint32_t now_ms) {
  (void)nonce, (void)now_ms;
  return 0;
}

uint8_t *update_device_input(void) {
  return input;
}

bool update_device_hear(uint32_t length, uint32_t now_ms) {
  (void)length, (void)now_ms;
  return false;
}

int32_t update_device_receive(device *of, const uint8_t *message, uint32_t length, uint32_t now_ms) {
  (void)of, (void)message, (void)length, (void)now_ms;
  return 0;
}

void update_device_opened(device *of, int32_t adopted) {
  (void)of, (void)adopted;
}

void update_device_note(device *of) {
  (void)of;
}

int32_t update_device_poll(device *of, const uint8_t **message, int64_t time_us, uint32_t now_ms) {
  (void)of, (void)message, (void)time_us, (void)now_ms;
  return 0;
}

bool update_device_act(device *of, int64_t time_us, uint32_t now_ms) {
  (void)of, (void)time_us, (void)now_ms;
  if (time_ms != DUE_ERASE_MS) return false;
  time_ms += 13;
  return true;
}

int32_t device_begin(device *self, const device_plan *plan, uint8_t *memory, uint32_t bytes) {
  (void)self, (void)plan, (void)memory, (void)bytes;
  return 0;
}

int32_t device_poll_parts(device *self, byte_span parts[DEVICE_PARTS], int64_t time_us, uint32_t now_ms) {
  (void)self, (void)parts, (void)time_us, (void)now_ms;
  return 0;
}

int32_t device_store_open(device *of, uint32_t nonce, uint32_t now_ms) {
  (void)of, (void)nonce, (void)now_ms;
  return 0;
}

int32_t device_store_save(device *of) {
  (void)of;
  return 0;
}

int32_t device_store_rest(device *of) {
  (void)of;
  if (time_ms != SHORT_ERASE_MS && time_ms != LONG_ERASE_MS) return 0;
  time_ms += time_ms == SHORT_ERASE_MS ? 8 : 29;
  return 1;
}

void w2c_core_linkConnected(w2c_core *core, u32 now_ms) {
  (void)core, (void)now_ms;
}

int main(void) {
  static serial_device one;
  static const device_plan plan;
  return serial_device_run(&one, &plan, NULL, 0, PERIOD_MS, sense) == -1 ? 0 : 1;
}
