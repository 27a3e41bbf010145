/*
 * The filter's own function, called as HDF5 does, on chunks that are right and on thousands that are not:
 *
 *     hdf5-chunks PLUGIN ROUNDS
 *
 * Ends with 0 where every right chunk came back within its bound, and none of the others gave anything but an error or a
 * whole chunk. Checksums of changed chunks are made right again, so that the decoder itself gets to see them.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hdf5-host.h"

#define FRAMES 24
#define ATOMS 17
#define AXES 3
#define VALUES (FRAMES * ATOMS * AXES)
#define EPS 1e-3
#define CHECKED_AT 8
#define CRC_AT 4

static uint32_t seed = 1;
static int failures;

static uint32_t draw(uint32_t below) {
  seed = seed * 1664525u + 1013904223u;
  return (uint32_t)((uint64_t)(seed ^ seed >> 15) * 2654435761u >> 16) % below;
}

static void expect(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "hdf5-chunks: not so: %s\n", what);
  failures++;
}

static uint32_t crc32c(const uint8_t *from, size_t bytes) {
  uint32_t r = ~0u;
  for (size_t i = 0; i < bytes; i++) {
    r ^= from[i];
    for (int bit = 0; bit < 8; bit++) r = r & 1 ? r >> 1 ^ 0x82f63b78u : r >> 1;
  }
  return ~r;
}

static void bound_list(unsigned values[8], unsigned mode) {
  const double eps = EPS;
  uint64_t bits;
  memcpy(&bits, &eps, sizeof bits);
  const unsigned list[8] = {0x4c4b0001u, 4, AXES, FRAMES, ATOMS, (unsigned)bits, (unsigned)(bits >> 32), mode};
  memcpy(values, list, sizeof list);
}

static void fill(float *chunk) {
  for (int t = 0; t < FRAMES; t++)
    for (int i = 0; i < ATOMS * AXES; i++)
      chunk[t * ATOMS * AXES + i] = (float)(i * 0.37 + 0.2 * sin(0.1 * t * (1 + i % 7) + i));
}

static double worst_of(const float *a, const float *b) {
  double worst = 0;
  for (int i = 0; i < VALUES; i++) worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
  return worst;
}

static void *copy(const void *from, size_t bytes) {
  void *to = malloc(bytes > 0 ? bytes : 1);
  memcpy(to, from, bytes);
  return to;
}

/** Decode a copy. @returns bytes, 0 for an error; the values go to `out` where it is a whole chunk */
static size_t decode(const hdf5_filter_class *of, const unsigned list[8], size_t count, const uint8_t *coded, size_t bytes,
                     float *out) {
  void *buffer = copy(coded, bytes);
  size_t room = bytes;
  const size_t got = of->filter(HDF5_REVERSE, count, list, bytes, &room, &buffer);
  if (got == sizeof(float) * VALUES && out != NULL) memcpy(out, buffer, got);
  expect(got <= room || got == 0, "what comes out fits its buffer");
  free(buffer);
  return got;
}

/** Values of the chunk, as its head has them. */
static uint64_t said_values(const uint8_t *coded, size_t bytes) {
  uint32_t frames, atoms;
  if (bytes < 20) return 0;
  memcpy(&frames, coded + 12, sizeof frames);
  memcpy(&atoms, coded + 16, sizeof atoms);
  return (uint64_t)frames * atoms;
}

int main(int count, char **words) {
  if (count != 3) return 2;
  void *plugin = dlopen(words[1], RTLD_NOW);
  if (plugin == NULL) {
    fprintf(stderr, "hdf5-chunks: %s\n", dlerror());
    return 1;
  }
  const void *(*get)(void);
  void *symbol = dlsym(plugin, "H5PLget_plugin_info");
  memcpy(&get, &symbol, sizeof get);
  const hdf5_filter_class *of = get();
  static float chunk[VALUES], back[VALUES];
  unsigned list[8];
  for (unsigned mode = 0; mode < 3; mode++) {
    bound_list(list, mode);
    fill(chunk);
    size_t room = sizeof chunk;
    void *buffer = copy(chunk, sizeof chunk);
    const size_t bytes = of->filter(0, 8, list, sizeof chunk, &room, &buffer);
    expect(bytes > 0 && bytes < sizeof chunk, "a chunk is encoded");
    expect(bytes >= CHECKED_AT && memcmp(buffer, "LKH1", 4) == 0, "it has the tag of coded ones");
    expect(decode(of, list, 8, buffer, bytes, back) == sizeof chunk, "and decoded");
    expect(worst_of(chunk, back) <= EPS, "every value within eps");
    expect(worst_of(chunk, back) > 0, "which is not nothing");
    expect(decode(of, list, 0, buffer, bytes, back) == sizeof chunk, "also by what it says itself");
    list[3]++;
    expect(decode(of, list, 8, buffer, bytes, NULL) == 0, "not for another shape");
    list[3]--;
    for (long round = atol(words[2]); round > 0; round--) {
      size_t length = bytes;
      uint8_t *bad = copy(buffer, bytes);
      if (round % 4 == 0) length = CHECKED_AT + draw((uint32_t)bytes - CHECKED_AT);
      for (uint32_t i = draw(4); i <= 3 && length > CHECKED_AT; i++)
        bad[CHECKED_AT + draw((uint32_t)(round % 3 == 0 && length > 60 ? 52 : length - CHECKED_AT))] ^= (uint8_t)(1 + draw(255));
      const uint32_t crc = crc32c(bad + CHECKED_AT, length - CHECKED_AT);
      memcpy(bad + CRC_AT, &crc, sizeof crc);
      const size_t got = decode(of, list, 8, bad, length, back);
      expect(got == 0 || got == sizeof chunk, "a changed chunk is an error, or a whole one");
      if (round % 8 == 0 && said_values(bad, length) < 1u << 20) decode(of, list, 0, bad, length, NULL);
      free(bad);
    }
    expect(decode(of, list, 8, buffer, bytes, back) == sizeof chunk && worst_of(chunk, back) <= EPS, "then as before");
    free(buffer);
  }
  for (size_t length = 0; length < 40; length++) {
    decode(of, list, 8, (const uint8_t *)"LKH1LKH1LKH1LKH1LKH1LKH1LKH1LKH1LKH1LKH1", length, NULL);
    expect(decode(of, list, 8, (const uint8_t *)"LKH0LKH1LKH1LKH1LKH1LKH1LKH1LKH1LKH1LKH1", length, NULL) == 0, "too short");
  }
  for (unsigned values = 0; values <= 8; values++) {
    void *buffer = copy(chunk, sizeof chunk);
    size_t room = sizeof chunk;
    if (values == 8) list[3] = 7; /* of another length than the chunk */
    const size_t bytes = of->filter(0, values, list, sizeof chunk, &room, &buffer);
    expect(bytes == sizeof chunk + 4 && memcmp(buffer, "LKH0", 4) == 0, "what is not understood is kept as it is");
    expect(decode(of, list, values == 8 ? 0 : values, buffer, bytes, back) == sizeof chunk, "and given back");
    expect(memcmp(chunk, back, sizeof chunk) == 0, "bit by bit");
    free(buffer);
  }
  bound_list(list, 0);
  for (unsigned place = 0; place < 8; place++) {
    for (unsigned bit = 0; bit < 32; bit++) {
      unsigned other[8];
      memcpy(other, list, sizeof other);
      other[place] ^= 1u << bit;
      void *buffer = copy(chunk, sizeof chunk);
      size_t room = sizeof chunk;
      expect(of->filter(0, 8, other, sizeof chunk, &room, &buffer) > 0, "whatever the list says, a chunk is kept");
      free(buffer);
    }
  }
  dlclose(plugin);
  return failures > 0;
}
