#include "update-device.h"

#include "board.h"
#include "body-test.h"
#include "device-store.h"
#include "little-endian.h"

/** What a test found, for the boot after it: the machine asks again then. */
typedef struct {
  uint32_t sid; /* 0: none */
  uint32_t result;
  uint32_t detail;
  uint32_t check;
} test_note;

/** What the cloud has not taken of a boot, for the one after it: where that runs another model nobody can send it. */
typedef struct {
  uint32_t epoch; /* 0: it was never granted one, and nothing of it was sent */
  uint32_t next;  /* seq after its last frame */
  uint32_t frames;
  uint32_t check;
} link_note;

static test_note tested BOARD_RETAINED;
static link_note left BOARD_RETAINED;
/** Of the link's view (edge_core.h). */
enum { LINK_EPOCH = 20, LINK_NEXT = 24, LINK_FRAMES = 32, LINK_VIEW_BYTES = 36, LINK_LIVE = 2 };

static struct {
  update_core core;
  const update_plan *plan;
  const uint8_t *model;
  const slot_area *area;
  boot_record *record;
  int32_t action; /* under way, or UPDATE_ACTION_NONE */
  bool is_holding; /* a restart waits for the ring to be empty */
  uint32_t holds_since;
  uint32_t drains_since; /* when a frame left the ring last */
  uint32_t drain_frames;
  int32_t acknowledged; /* frames of this boot */
  bool is_testing;
  bool is_telling; /* what was lost with the model before */
} update;
static uint8_t memory[UPDATE_DEVICE_MEMORY_BYTES] __attribute__((aligned(8)));

static uint32_t check_of(const test_note *note) {
  return ~(note->sid + 3 * note->result + 5 * note->detail);
}

static void note_test(uint32_t sid, uint32_t result, uint32_t detail) {
  tested = (test_note){sid, result, detail, 0};
  tested.check = check_of(&tested);
}

static uint32_t check_of_link(const link_note *note) {
  return ~(note->epoch + 3 * note->next + 5 * note->frames);
}

static uint8_t *view(update_address at, uint32_t length) {
  return update_bytes(&update.core, at, length);
}

static uint32_t candidate_word(uint32_t offset) {
  return load32(view(update_candidate(&update.core) + offset, 4));
}

void update_device_configure(const update_plan *plan, boot_record *record, const uint8_t *model) {
  update.plan = plan;
  update.model = model;
  update.record = record;
  update.area = board_slots();
}

static void write_config(uint32_t nonce) {
  const update_plan *plan = update.plan;
  const boot_record *record = update.record;
  const slot_area *area = update.area;
  uint8_t *config = view(update_config(&update.core), UPDATE_CONFIG_BYTES);
  uint32_t target_bytes = 0;
  while (plan->target[target_bytes] != '\0') target_bytes++;
  memset(config, 0, UPDATE_CONFIG_BYTES);
  store32(config + UPDATE_CONFIG_ABI, UPDATE_ABI_VERSION);
  store32(config + UPDATE_CONFIG_NONCE, nonce);
  store32(config + UPDATE_CONFIG_SLOT_BYTES, area->slot_bytes);
  store32(config + UPDATE_CONFIG_SECTOR_BYTES, area->chip->sector_bytes);
  store32(config + UPDATE_CONFIG_WRITE_UNIT, area->chip->write_unit);
  store32(config + UPDATE_CONFIG_BODY_OFFSET, area->body_offset);
  store32(config + UPDATE_CONFIG_MEMORY_LIMIT, plan->memory_limit);
  store32(config + UPDATE_CONFIG_CONFIRM_MS, plan->confirm_ms);
  store32(config + UPDATE_CONFIG_RUNNING_VERSION, record->bodies[record->slot].version);
  store32(config + UPDATE_CONFIG_CONFIRMED_VERSION, record->confirmed);
  store32(config + UPDATE_CONFIG_SID, record->sid);
  store32(config + UPDATE_CONFIG_LAST_DETAIL, record->detail);
  store32(config + UPDATE_CONFIG_TRAPS, (record->traps + board_traps()) & 0xffffu);
  config[UPDATE_CONFIG_CHUNK_BYTES] = UPDATE_DEVICE_CHUNK_BYTES & 0xff;
  config[UPDATE_CONFIG_CHUNK_BYTES + 1] = UPDATE_DEVICE_CHUNK_BYTES >> 8;
  config[UPDATE_CONFIG_RUNNING_SLOT] = record->slot;
  config[UPDATE_CONFIG_RUNNING_FORM] = plan->form;
  config[UPDATE_CONFIG_TAKES_FORM] = plan->form;
  config[UPDATE_CONFIG_IS_TRYING] = record->is_trying ? 1 : 0;
  config[UPDATE_CONFIG_LAST_VERDICT] = record->verdict;
  config[UPDATE_CONFIG_TARGET_LENGTH] = (uint8_t)target_bytes;
  config[UPDATE_CONFIG_KEY_COUNT] = plan->key_count;
  memcpy(config + UPDATE_CONFIG_MODEL, update.model, 32);
  memcpy(config + UPDATE_CONFIG_TARGET, plan->target, target_bytes);
  memcpy(config + UPDATE_CONFIG_KEYS, plan->keys, (uint32_t)plan->key_count * UPDATE_KEY_BYTES);
}

int32_t update_device_begin(uint32_t nonce, uint32_t now_ms) {
  update_start(&update.core, memory, sizeof memory);
  update.action = UPDATE_ACTION_NONE;
  update.is_holding = false;
  update.acknowledged = 0;
  write_config(nonce);
  board_watch(UPDATE_DEVICE_WATCHDOG_MS);
  return update_open(&update.core, now_ms);
}

uint8_t *update_device_input(void) {
  return view(update_input(&update.core), UPDATE_INPUT_BYTES);
}

bool update_device_hear(uint32_t length, uint32_t now_ms) {
  update_stack_high_water(&update.core, board_stack_high_water());
  /* Between an action and its end the machine hears nothing; who missed an answer asks again. */
  return update.action == UPDATE_ACTION_NONE && update_receive(&update.core, (int32_t)length, now_ms) != 0;
}

void update_device_note(device *of) {
  const uint8_t *link = edge_bytes(&of->core, edge_link_view(&of->core), LINK_VIEW_BYTES);
  left = (link_note){load32(link + LINK_EPOCH), load32(link + LINK_NEXT), load32(link + LINK_FRAMES), 0};
  left.check = check_of_link(&left);
}

void update_device_opened(device *of, int32_t adopted) {
  const bool is_lost = adopted == 0 && left.check == check_of_link(&left) && left.epoch != 0 && left.frames != 0;
  if (is_lost) update_lost(&update.core, left.epoch, left.next);
  update.is_telling = is_lost;
  update_device_note(of);
}

/** Frames of this boot that have left the ring: acknowledged, or dropped from a full one. What an earlier one left goes first. */
static int32_t frames_gone(void) {
  const int32_t frames = (int32_t)(left.next - left.frames);
  return frames > 0 ? frames : 0;
}

int32_t update_device_receive(device *of, const uint8_t *message, uint32_t length, uint32_t now_ms) {
  update_device_note(of);
  const int32_t before = frames_gone();
  const int32_t status = device_receive(of, message, length, now_ms);
  update_device_note(of);
  /* A message drops nothing from a full ring. */
  update.acknowledged += frames_gone() - before;
  if (update.acknowledged == 0) return status;
  board_clear_strikes();
  if (update.action == UPDATE_ACTION_NONE) update_acknowledged(&update.core, update.acknowledged);
  return status;
}

int32_t update_device_poll(device *of, const uint8_t **message, int64_t time_us, uint32_t now_ms) {
  int32_t length = update_poll(&update.core);
  if (length == 0 && update.is_telling && edge_link_state(&of->core) == LINK_LIVE) {
    length = update_lost_poll(&update.core, time_us, now_ms);
    update.is_telling = length >= 0;
  }
  if (length > 0) *message = view(update_output(&update.core), (uint32_t)length);
  return length;
}

bool update_device_is_holding(void) {
  return update.is_holding;
}

/** Close the frame in hand, and wait until the ring is empty, as long as it gets emptier. @returns whether the wait is over */
static bool has_drained(device *of, int64_t time_us, uint32_t now_ms) {
  /* What was sent since the last answer, a heartbeat, is in the ring as well. */
  update_device_note(of);
  if (!update.is_holding) {
    update.is_holding = true;
    update.holds_since = now_ms;
    (void)edge_link_flush(&of->core, time_us, now_ms);
    (void)device_store_save(of);
    update_device_note(of);
    update.drain_frames = left.frames + 1;
  }
  if (left.frames < update.drain_frames) {
    update.drain_frames = left.frames;
    update.drains_since = now_ms;
  }
  const bool is_stuck = now_ms - update.drains_since >= UPDATE_DEVICE_DRAIN_MS;
  return left.frames == 0 || is_stuck || now_ms - update.holds_since >= UPDATE_DEVICE_DRAIN_MOST_MS;
}

/** What the candidate says of itself. */
static void read_candidate(boot_body *body, boot_test *test) {
  const uint32_t shape = candidate_word(UPDATE_CANDIDATE_TEST_SAMPLES);
  body->bytes = candidate_word(UPDATE_CANDIDATE_LENGTH);
  body->version = candidate_word(UPDATE_CANDIDATE_VERSION);
  body->crc = 0;
  test->samples = (uint16_t)shape;
  test->channels = (uint16_t)(shape >> 16 & 0xffu);
  test->seed = candidate_word(UPDATE_CANDIDATE_TEST_SEED);
  memcpy(test->digest, view(update_candidate(&update.core) + UPDATE_CANDIDATE_TEST_DIGEST, 32), 32);
}

static int32_t test_candidate(device *of, uint32_t *detail) {
  boot_body body;
  boot_test test;
  read_candidate(&body, &test);
  return body_test(of, update.area, (uint32_t)update_slot(&update.core), &body, &test, detail);
}

/** The boot after it knows what was found, also when the test does not come back. */
static void test_and_restart(device *of) {
  uint32_t detail = 0;
  const uint32_t sid = candidate_word(UPDATE_CANDIDATE_SID);
  note_test(sid, UPDATE_VERDICT_WATCHDOG, 0);
  update.is_testing = true;
  const int32_t verdict = test_candidate(of, &detail);
  note_test(sid, (uint32_t)verdict, detail);
  board_restart(RESTART_ASKED, 0);
}

void update_device_trapped(uint32_t detail) {
  if (update.is_testing) {
    note_test(tested.sid, UPDATE_VERDICT_TRAPPED, detail);
    board_restart(RESTART_ASKED, 0);
  }
  board_restart(RESTART_TRAP, detail);
}

/** @returns false when it could not be written: what is in flash holds */
static bool switch_over(void) {
  boot_body body;
  boot_test test;
  read_candidate(&body, &test);
  body.crc = slots_crc(update.area, (uint32_t)update_slot(&update.core), body.bytes);
  boot_record *record = update.record;
  if (boot_record_try(update.area->records, record, update_action_address(&update.core), &body, &test) < 0) {
    boot_record_read(update.area->records, record);
    return false;
  }
  board_restart(RESTART_ASKED, 0);
}

static bool go_back(void) {
  boot_record *record = update.record;
  const uint8_t verdict = (uint8_t)update_action_length(&update.core);
  if (boot_record_go_back(update.area->records, record, verdict, update_action_address(&update.core)) < 0) {
    boot_record_read(update.area->records, record);
    return false;
  }
  board_restart(RESTART_ASKED, 0);
}

/** @returns whether flash did it, and reads back what was programmed */
static bool use_flash(int32_t action) {
  const flash *chip = update.area->chip;
  const uint32_t length = update_action_length(&update.core);
  const uint32_t address =
      (uint32_t)update_slot(&update.core) * update.area->slot_bytes + update_action_address(&update.core);
  uint8_t *bytes = view(update_buffer(&update.core), UPDATE_BUFFER_BYTES);
  if (action == UPDATE_ACTION_ERASE) return slots_disown(update.area, update.record) && chip->erase(chip->chip, address / chip->sector_bytes);
  if (action == UPDATE_ACTION_READ) chip->read(chip->chip, address, bytes, length);
  else return chip->program(chip->chip, address, bytes, length) && memcmp(update.area->mapped + address, bytes, length) == 0;
  return true;
}

static bool has_test_note(void) {
  return tested.sid == candidate_word(UPDATE_CANDIDATE_SID) && tested.sid != 0 && tested.check == check_of(&tested);
}

/** Carry out the action under way. @returns 0 when it is done, below 0 while it goes on, above 0: it has failed */
static int32_t carry_out(device *of, int64_t time_us, uint32_t now_ms, uint32_t *detail) {
  switch (update.action) {
    case UPDATE_ACTION_TEST:
      if (!body_test_stops()) return test_candidate(of, detail);
      if (has_test_note()) {
        *detail = tested.detail;
        return (int32_t)tested.result;
      }
      if (has_drained(of, time_us, now_ms)) test_and_restart(of);
      return -1;
    case UPDATE_ACTION_SWITCH:
      if (!has_drained(of, time_us, now_ms)) return -1;
      /* Another model could not send them: it stays with this one, and is asked again. */
      *detail = left.frames;
      if (left.frames > 0) return UPDATE_VERDICT_BUSY;
      return switch_over() ? 0 : 1;
    case UPDATE_ACTION_GO_BACK:
      if (!has_drained(of, time_us, now_ms)) return -1;
      return go_back() ? 0 : 1;
    case UPDATE_ACTION_KEEP:
      return boot_record_keep(update.area->records, update.record, update_action_address(&update.core)) < 0 ? 1 : 0;
    case UPDATE_ACTION_WORK: return 0;
    default: return use_flash(update.action) ? 0 : 1;
  }
}

bool update_device_act(device *of, int64_t time_us, uint32_t now_ms) {
  uint32_t detail = 0;
  board_watch(UPDATE_DEVICE_WATCHDOG_MS);
  if (update.action == UPDATE_ACTION_NONE) update.action = update_next(&update.core, now_ms);
  if (update.action == UPDATE_ACTION_NONE) return false;
  const int32_t result = carry_out(of, time_us, now_ms, &detail);
  if (result < 0) return false;
  update.action = UPDATE_ACTION_NONE;
  update.is_holding = false;
  update_done(&update.core, result, detail, now_ms);
  return true;
}
