/*
 * The boot records on the simulated flash, with power cut at every operation of every step of a history, again at every
 * operation of the boot that follows, and once more at each of the boot after that. What is found then must be a state
 * that a model of its own allows: the old one or the new one, and of a boot its successor.
 *
 *     boot-record-host WRITE_UNIT GARBAGE SEED       prints: cuts, states that were new, boots that went back
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot-record.h"
#include "simulated-flash.h"

#define SECTOR_BYTES 256u
#define STEPS 60u
/** Two states, and what two boots make of each. */
#define ALLOWED_MAX 16u

typedef enum { FIRST, TRY, KEEP, GO_BACK, BOOT, STEP_KINDS } step_kind;

/** What the records stand for. */
typedef struct {
  bool is_there;
  uint32_t slot, is_trying, verdict, confirmed, detail, sid, attempts;
  boot_body bodies[2];
  boot_test test;
} model;

static simulated_flash chip;
static flash geometry;
static jmp_buf power;
static uint32_t chance;
static bool is_rotten[2]; /* slots whose body is not what it was */
static uint32_t cuts, news, backs;

static uint32_t random32(void) {
  chance ^= chance << 13;
  chance ^= chance >> 17;
  chance ^= chance << 5;
  return chance;
}

static void power_failed(void) {
  longjmp(power, 1);
}

static void fail(const char *what, uint32_t step, uint32_t operation) {
  fprintf(stderr, "boot-record-host: %s, step %u, operation %u\n", what, (unsigned)step, (unsigned)operation);
  exit(1);
}

static bool is_sound(void *context, uint32_t slot, const boot_body *body) {
  (void)context;
  return !is_rotten[slot] && body->bytes > 0;
}

static model observe(void) {
  boot_record record;
  model seen;
  memset(&seen, 0, sizeof seen);
  seen.is_there = boot_record_read(&geometry, &record);
  if (!seen.is_there) return seen;
  seen.slot = record.slot;
  seen.is_trying = record.is_trying;
  seen.verdict = record.verdict;
  seen.confirmed = record.confirmed;
  seen.detail = record.detail;
  seen.attempts = record.is_trying ? record.attempts : 0;
  seen.sid = record.sid;
  memcpy(seen.bodies, record.bodies, sizeof seen.bodies);
  seen.test = record.test;
  return seen;
}

/** What a boot makes of a state, by its description. @param slot  set to the one that runs, -1 for none */
static model booted(model state, int32_t *slot) {
  const uint32_t own = state.slot;
  const bool is_own = state.is_there && state.bodies[own].bytes > 0 && !is_rotten[own];
  const bool is_other = state.is_there && state.bodies[1 - own].bytes > 0 && !is_rotten[1 - own];
  *slot = is_own ? (int32_t)own : is_other ? (int32_t)(1 - own) : -1;
  if (is_own && !state.is_trying) return state;
  if (is_own && state.attempts < BOOT_ATTEMPTS_MAX) {
    state.attempts++;
    return state;
  }
  if (!is_other) return state;
  *slot = (int32_t)(1 - own);
  state.slot = 1 - own;
  state.detail = is_own ? state.attempts : own;
  state.verdict = is_own ? BOOT_VERDICT_UNCONFIRMED : BOOT_VERDICT_FLASH;
  state.is_trying = 0;
  state.attempts = 0;
  return state;
}

static void carry_out(step_kind kind, uint32_t n) {
  boot_record record;
  const boot_body body = {100 + n, 7 * n, n << 24};
  const boot_test test = {(uint16_t)n, (uint16_t)(900 + n), 11 * n, {1, (uint8_t)n, 3}};
  if (kind == BOOT) {
    (void)boot_record_choose(&geometry, &record, is_sound, NULL);
    return;
  }
  const bool is_there = boot_record_read(&geometry, &record);
  if (kind == FIRST) {
    record.bodies[0] = record.bodies[1] = body;
    (void)boot_record_write(&geometry, &record);
  } else if (!is_there) {
    fail("nothing to go on with", n, 0);
  } else if (kind == TRY) {
    (void)boot_record_try(&geometry, &record, 13 * n, &body, &test);
  } else if (kind == KEEP) {
    (void)boot_record_keep(&geometry, &record, n);
  } else {
    (void)boot_record_go_back(&geometry, &record, 15, n);
  }
}

static bool is_allowed(const model *seen, const model *allowed, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (memcmp(seen, &allowed[i], sizeof *seen) == 0) return true;
  }
  return false;
}

/** Add what a boot makes of each allowed state. */
static uint32_t with_boots(model *allowed, uint32_t count) {
  int32_t slot = 0;
  for (uint32_t i = 0, all = count; i < all; i++) allowed[count++] = booted(allowed[i], &slot);
  return count;
}

/** Boot, with power cut at operation `at` of it. @returns whether it was cut */
static bool boot_cut_at(uint32_t at) {
  chip.cut_at = at == NEVER ? NEVER : chip.operations + at;
  const bool is_cut = setjmp(power) != 0;
  if (!is_cut) carry_out(BOOT, 0);
  chip.cut_at = NEVER;
  return is_cut;
}

/** A boot without a cut: the slot that it must choose, of a state that is allowed. */
static void expect_boot(const model *allowed, uint32_t count, uint32_t step, uint32_t operation) {
  boot_record record;
  int32_t slot = 0;
  const model before = observe();
  if (!is_allowed(&before, allowed, count)) fail("a state that never was", step, operation);
  const model after = booted(before, &slot);
  const int32_t chosen = boot_record_choose(&geometry, &record, is_sound, NULL);
  if (chosen != (slot < 0 ? BOOT_NOTHING : slot)) fail("another slot was chosen", step, operation);
  const model seen = observe();
  if (memcmp(&seen, &after, sizeof seen) != 0) fail("a boot has left another state", step, operation);
  if (chosen >= 0 && after.slot != before.slot) backs++;
}

/** Cut at operation `k` of a step, then at each of the next boot, then at each of the one after it. */
static void expect_cut(step_kind kind, uint32_t n, uint32_t k, const model *before, const model *after) {
  static simulated_flash once, twice;
  model allowed[ALLOWED_MAX];
  uint32_t count = 2;
  allowed[0] = *before;
  allowed[1] = *after;
  chip.chance = random32() | 1u;
  chip.cut_at = chip.operations + k;
  if (setjmp(power) == 0) {
    carry_out(kind, n);
    fail("no cut", n, k);
  }
  chip.cut_at = NEVER;
  cuts++;
  const model seen = observe();
  if (!is_allowed(&seen, allowed, count)) fail("neither the old state nor the new one", n, k);
  if (memcmp(&seen, before, sizeof seen) != 0) news++;
  /* A first record that is not whole is none: a factory writes it again. */
  if (!seen.is_there) return;
  once = chip;
  count = with_boots(allowed, count);
  for (uint32_t j = 0; boot_cut_at(j); j++, chip = once) {
    cuts++;
    twice = chip;
    const uint32_t more = with_boots(allowed, count);
    for (uint32_t i = 0; boot_cut_at(i); i++, chip = twice) {
      cuts++;
      expect_boot(allowed, more, n, k);
    }
    chip = twice;
    expect_boot(allowed, more, n, k);
  }
  chip = once;
  expect_boot(allowed, count, n, k);
}

int main(int count, char **given) {
  static simulated_flash start;
  if (count != 4) return 2;
  simulated_power_failed = power_failed;
  simulated_begin(&chip, BOOT_RECORD_SECTORS, SECTOR_BYTES, (uint32_t)atoi(given[1]), (uint32_t)atoi(given[2]));
  geometry = simulated_chip(&chip);
  chance = (uint32_t)atoi(given[3]);
  for (uint32_t n = 0; n < STEPS; n++) {
    step_kind kind = n == 0 ? FIRST : (step_kind)(1 + random32() % (STEP_KINDS - 1));
    if (random32() % 3 == 0 && n > 0) kind = BOOT; /* three in a row use the attempts up */
    is_rotten[0] = random32() % 8 == 0;
    is_rotten[1] = random32() % 8 == 0;
    const model before = observe();
    start = chip;
    carry_out(kind, n);
    const model after = observe();
    const uint32_t operations = chip.operations - start.operations;
    if (kind == BOOT) {
      int32_t slot = 0;
      const model expected = booted(before, &slot);
      if (memcmp(&after, &expected, sizeof after) != 0) fail("a boot differs from its description", n, 0);
    }
    static simulated_flash done;
    done = chip;
    for (uint32_t k = 0; k < operations; k++) {
      chip = start;
      expect_cut(kind, n, k, &before, &after);
      if (chip.violations != 0) fail("rules of flash broken", n, k);
    }
    chip = done;
  }
  printf("%u %u %u\n", (unsigned)cuts, (unsigned)news, (unsigned)backs);
  return chip.violations == 0 ? 0 : 1;
}
