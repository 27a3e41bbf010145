/*
 * The smallest complete device: a sensor, the core, its link. Messages go to standard output and the cloud's answers
 * come from standard input, so any program that connects the two to a socket makes it a device on the network.
 *
 *     sensor ──▶ device_sample ──▶ ring ──▶ device_poll ──▶ standard output
 *                                   ▲
 *     standard input ──▶ device_receive (welcome, acknowledgements, resync)
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core-id.h"
#include "device.h"
#include "stream.h"

#define PERIOD_MS 10u
#define RING_BYTES 16384
#define OUT_BYTES 1536
/** Enough for 16 channels; six need 21 KB, of which the ring is 16. */
#define MEMORY_BYTES 24576u

typedef struct {
  const char *name;
  uint32_t channels;
  uint32_t samples; /* 0: without end */
  uint32_t frame_samples;
  uint32_t mtu;
  uint32_t nonce;
  uint32_t is_paced;
  uint32_t is_serial;
} options;

typedef struct {
  const options *asked;
  uint64_t start_ms; /* of the monotonic clock */
  uint64_t now_ms;   /* since the start; counted by samples unless paced */
} device_clock;

static const uint8_t MODEL[32] = CORE_SHA256;
static uint8_t memory[MEMORY_BYTES] __attribute__((aligned(8)));
static device wave_device;
static stream peer;

/** What a trap means here: the end of the program. On a microcontroller it would be a reset. */
void wasm_rt_trap(wasm_rt_trap_t reason) {
  fprintf(stderr, "linux-host: the core trapped, reason %d\n", (int)reason);
  exit(100 + (int)reason);
}

/** The sensor: a triangle of 1,024 / (7 + channel) samples and 200 units, with noise of 61, in integers. */
static int32_t sense(uint32_t t, uint32_t channel) {
  const uint32_t phase = t * (7u + channel) & 1023u;
  const int32_t triangle = (int32_t)(phase < 512u ? phase : 1023u - phase);
  const uint32_t noise = (((t + 1u) * 2654435761u) ^ ((channel + 1u) * 40503u)) >> 8;
  return (triangle - 256) * 400 + (int32_t)(noise % 61u);
}

static uint64_t monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void stop(const char *what, int32_t status) {
  fprintf(stderr, "linux-host: %s: %d\n", what, (int)status);
  exit(1);
}

/** Send everything that should go out now. */
static void send_all(const device_clock *clock) {
  const uint8_t *message = NULL;
  int32_t length = 0;
  while ((length = device_poll(&wave_device, &message, (int64_t)clock->now_ms * 1000, (uint32_t)clock->now_ms)) > 0) {
    if (!stream_write(&peer, message, (uint32_t)length)) stop("standard output is closed", 0);
  }
  if (length < 0) stop("device_poll", length);
}

/** Hear one message within `wait_ms` and answer it. @returns whether one came */
static bool hear(device_clock *clock, uint32_t wait_ms) {
  const uint8_t *message = NULL;
  const int32_t length = stream_read(&peer, (int)wait_ms, &message);
  if (length < 0) stop("standard input holds what no cloud sends", length);
  if (clock->asked->is_paced) clock->now_ms = monotonic_ms() - clock->start_ms;
  if (length == 0) return false;
  /* A negative answer means that nothing took effect: the link stays as it was, as it would on any device. */
  (void)device_receive(&wave_device, message, (uint32_t)length, (uint32_t)clock->now_ms);
  send_all(clock);
  return true;
}

/** Let time pass until sample t is due, hearing the cloud meanwhile; unpaced, look once. */
static void wait_for_sample(device_clock *clock, uint64_t t) {
  const uint64_t due = (t + 1u) * PERIOD_MS;
  if (!clock->asked->is_paced) {
    clock->now_ms = due;
    hear(clock, 0);
    return;
  }
  while ((clock->now_ms = monotonic_ms() - clock->start_ms) < due) {
    const uint32_t left_ms = (uint32_t)(due - clock->now_ms);
    const struct timespec pause = {0, (long)left_ms * 1000000};
    if (peer.is_closed) nanosleep(&pause, NULL);
    else hear(clock, left_ms);
  }
}

/** Stay until everything is confirmed, or the cloud has hung up. */
static void drain(device_clock *clock) {
  while (!peer.is_closed && edge_link_unconfirmed_frames(&wave_device.core) > 0) {
    const uint32_t wait_ms = (uint32_t)edge_link_wake_ms(&wave_device.core, (uint32_t)clock->now_ms);
    if (!hear(clock, wait_ms) && !clock->asked->is_paced) clock->now_ms += wait_ms;
    send_all(clock);
  }
}

/** Configure the device that the options ask for. */
static void begin(const options *asked) {
  static char names[EDGE_MAX_CHANNELS][8];
  device_channel channels[EDGE_MAX_CHANNELS];
  for (uint32_t c = 0; c < asked->channels; c++) {
    snprintf(names[c], sizeof names[c], "wave%u", (unsigned)c);
    /* 1 sample unit = 2^-10 g; the promise is 100 of them. */
    channels[c] = (device_channel){names[c], "g", 100, 1, 0, 0, 1, -10, 100, -10};
  }
  const device_plan plan = {
      .name = asked->name,
      .firmware = "linux-host",
      .model = MODEL,
      .channels = channels,
      .channel_count = (int32_t)asked->channels,
      .frame_samples = (int32_t)asked->frame_samples,
      .silence_ms = 5000,
      .mtu = (int32_t)asked->mtu,
      .ring_bytes = RING_BYTES,
      .out_bytes = OUT_BYTES,
      .period_ns = PERIOD_MS * 1000000,
  };
  int32_t status = device_begin(&wave_device, &plan, memory, MEMORY_BYTES);
  if (status < 0) stop("device_begin", status);
  status = device_open(&wave_device, asked->nonce, 0, 0);
  if (status < 0) stop("device_open", status);
}

static uint32_t random_nonce(void) {
  uint32_t nonce = 0;
  FILE *source = fopen("/dev/urandom", "rb");
  if (source == NULL || fread(&nonce, sizeof nonce, 1, source) != 1) stop("no random numbers: give --nonce", 0);
  fclose(source);
  return nonce;
}

static void usage(FILE *to) {
  fputs(
      "usage: linux-host [--name ID] [--channels 1..16] [--samples N, 0: without end] [--frame-samples N]\n"
      "                  [--mtu BYTES, 0: none] [--nonce N] [--pace] [--serial]\n"
      "Sends the messages of a device to standard output, hears the cloud on standard input (u16 length, then bytes;\n"
      "with --serial framed as on a serial line).\n"
      "Without --pace a sample is taken at once, and time is counted by samples.\n"
      "example: socat TCP:127.0.0.1:7000 EXEC:'./linux-host --name wave-1 --samples 0 --pace'\n",
      to);
}

/** Read the command line. Ends the program with 2 on wrong usage. */
static void read_options(options *asked, int argc, char **argv) {
  const struct {
    const char *flag;
    uint32_t *value;
    unsigned long least, most;
  } numbers[] = {
      {"--channels", &asked->channels, 1, EDGE_MAX_CHANNELS}, {"--samples", &asked->samples, 0, UINT32_MAX},
      {"--frame-samples", &asked->frame_samples, 1, 65535},   {"--mtu", &asked->mtu, 0, 65535},
      {"--nonce", &asked->nonce, 0, UINT32_MAX},
  };
  for (int i = 1; i < argc; i++) {
    bool is_known = false;
    if (strcmp(argv[i], "--help") == 0) {
      usage(stdout);
      exit(0);
    }
    if (strcmp(argv[i], "--pace") == 0) {
      asked->is_paced = 1;
      continue;
    }
    if (strcmp(argv[i], "--serial") == 0) {
      asked->is_serial = 1;
      continue;
    }
    if (strcmp(argv[i], "--name") == 0 && i + 1 < argc) {
      asked->name = argv[++i];
      continue;
    }
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers && i + 1 < argc; n++) {
      if (strcmp(argv[i], numbers[n].flag) != 0) continue;
      char *end = NULL;
      const unsigned long value = strtoul(argv[i + 1], &end, 10);
      is_known = *argv[i + 1] != '\0' && *argv[i + 1] != '-' && *end == '\0' && value >= numbers[n].least &&
                 value <= numbers[n].most;
      *numbers[n].value = (uint32_t)value;
      i++;
      break;
    }
    if (is_known) continue;
    fprintf(stderr, "linux-host: \"%s\" is not understood, lacks its value, or has one out of range\n", argv[i]);
    usage(stderr);
    exit(2);
  }
}

int main(int argc, char **argv) {
  options asked = {.name = "linux-host", .channels = 6, .samples = 1000, .frame_samples = 100, .nonce = random_nonce()};
  read_options(&asked, argc, argv);
  if (!stream_begin(&peer, STDIN_FILENO, STDOUT_FILENO, asked.is_serial != 0)) stop("standard output is closed", 0);
  begin(&asked);
  device_clock clock = {&asked, monotonic_ms(), 0};
  edge_link_connected(&wave_device.core, 0);
  send_all(&clock);
  for (uint64_t t = 0; asked.samples == 0 || t < asked.samples; t++) {
    int32_t samples[EDGE_MAX_CHANNELS];
    wait_for_sample(&clock, t);
    for (uint32_t c = 0; c < asked.channels; c++) samples[c] = sense((uint32_t)t, c);
    const int32_t status = device_sample(&wave_device, samples, NULL, (int64_t)clock.now_ms * 1000, (uint32_t)clock.now_ms);
    if (status < 0) stop("device_sample", status);
    send_all(&clock);
  }
  edge_link_flush(&wave_device.core, (int64_t)clock.now_ms * 1000, (uint32_t)clock.now_ms);
  send_all(&clock);
  drain(&clock);
  fprintf(stderr, "linux-host: %u samples, %u frames made, %u not confirmed\n", (unsigned)asked.samples,
          (unsigned)edge_link_next_seq(&wave_device.core), (unsigned)edge_link_unconfirmed_frames(&wave_device.core));
  return 0;
}
