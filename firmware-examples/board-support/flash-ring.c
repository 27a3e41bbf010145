#include "flash-ring.h"

#include <string.h>

#include "flash-mark.h"
#include "ring-image.h"

/** Erased sectors that tidying keeps, and the one of them that a save may not begin. */
#define SPARES_WANTED 2u
#define SPARES_OF_SAVE 1u

static void store32(uint8_t *to, uint32_t value) {
  for (uint32_t i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (8 * i));
}

static uint8_t *record_at(const flash_ring_view *ring, uint32_t offset) {
  return ring->bytes + RING_HEADERS_BYTES + offset;
}

bool flash_view_ring(device *of, flash_ring_view *ring) {
  ring->bytes = edge_bytes(&of->core, of->ring, of->ring_bytes);
  ring->size = of->ring_bytes;
  ring->count = edge_link_unconfirmed_frames(&of->core);
  return ring_read_header(ring->bytes, &ring->header);
}

/** The number of the record with this index, which no gap hides. */
static uint32_t number_of(const flash_ring *self, uint32_t index) {
  uint32_t run = self->run_count - 1;
  while (run > 0 && (int32_t)(index - self->runs[run].index) < 0) run--;
  return self->runs[run].number + (index - self->runs[run].index);
}

/** The number that the next record will get. */
static uint32_t next_number(const flash_ring *self) {
  return number_of(self, self->saved_index);
}

static int32_t append_mark(flash_ring *self, uint32_t kind, bool is_last) {
  const flash_mark *mark = &self->mark;
  const flash_entry entry = {(uint8_t)kind,    next_number(self), mark->head,
                             mark->head_epoch, mark->head_seq,    FLASH_MARK_BYTES};
  const uint32_t words[] = {mark->granted,  mark->wished,   mark->last,       mark->named_until,
                            mark->birth[0], mark->birth[1], next_number(self)};
  uint8_t payload[FLASH_MARK_BYTES];
  for (uint32_t i = 0; i < sizeof words / sizeof *words; i++) store32(payload + 4 * i, words[i]);
  return flash_log_append(&self->log, &entry, payload, is_last);
}

/** Begin the next sector, with what is known so far, twice: no mark of an earlier one is needed from then on. */
static int32_t advance(flash_ring *self, uint32_t kind) {
  int32_t status = flash_log_advance(&self->log);
  if (status == 0) status = append_mark(self, kind, false);
  return status < 0 ? status : append_mark(self, kind, false);
}

/**
 * Make room for an entry of a save.
 *
 * @param bytes  of payload
 */
static int32_t make_room(flash_ring *self, uint32_t bytes) {
  if (self->log.spares >= SPARES_OF_SAVE && flash_log_room(&self->log, false) >= bytes) return 0;
  return self->log.spares > SPARES_OF_SAVE ? advance(self, FLASH_MARK) : FLASH_LOG_NO_ROOM;
}

static int32_t save_mark(flash_ring *self) {
  const int32_t status = make_room(self, FLASH_MARK_BYTES);
  return status < 0 ? status : append_mark(self, FLASH_MARK, false);
}

static bool is_same(const flash_mark *a, const flash_mark *b) {
  return a->head == b->head && a->head_epoch == b->head_epoch && a->head_seq == b->head_seq &&
         a->granted == b->granted && a->wished == b->wished && a->birth[0] == b->birth[0] && a->birth[1] == b->birth[1];
}

static bool has_same_names(const flash_mark *a, const flash_mark *b) {
  return a->granted == b->granted && a->wished == b->wished && a->birth[0] == b->birth[0] && a->birth[1] == b->birth[1];
}

/** Where the oldest record stands by now, into a mark. */
static void note_head(const flash_ring *self, const ring_header *header, flash_mark *mark) {
  mark->head = number_of(self, header->head_index);
  mark->head_epoch = header->head_epoch == 0 ? mark->granted : header->head_epoch;
  mark->head_seq = header->head_seq;
}

/** Write marks for what the header says and flash does not know. @param has_records  records follow, which name the head */
static int32_t save_header(flash_ring *self, const ring_header *header, bool has_records) {
  flash_mark now = self->mark;
  now.granted = header->epoch;
  now.wished = header->wished;
  memcpy(now.birth, header->birth, sizeof now.birth);
  note_head(self, header, &now);
  if (!has_same_names(&now, &self->mark)) {
    self->marks_due = now.granted != 0 && now.granted != self->mark.granted ? 2 : 1;
  } else if (!has_records && !is_same(&now, &self->mark) && self->marks_due == 0) {
    self->marks_due = 1;
  }
  self->mark = now;
  for (; self->marks_due > 0; self->marks_due--) {
    const int32_t status = save_mark(self);
    if (status < 0) return status;
  }
  return 0;
}

/** Write one record, the next that flash does not know. */
static int32_t save_record(flash_ring *self, const uint8_t *record, uint32_t seq) {
  const uint32_t bytes = ring_record_bytes(record);
  const int32_t status = make_room(self, bytes);
  if (status < 0) return status;
  const flash_mark *mark = &self->mark;
  const flash_entry entry = {FLASH_RECORD, next_number(self), mark->head, mark->granted, seq, bytes};
  return flash_log_append(&self->log, &entry, record, false);
}

int32_t flash_ring_save(flash_ring *self, device *of) {
  flash_ring_view ring;
  const bool is_dirty = edge_link_header_dirty(&of->core) != 0 || edge_link_dirty_to(&of->core) != 0;
  if (!is_dirty || !flash_view_ring(of, &ring)) return 0;
  const uint32_t head_index = ring.header.head_index;
  if ((int32_t)(self->saved_index - head_index) <= 0) {
    /* Nothing that flash knows is left, or the ring was empty and has begun again at its start. */
    self->saved_index = head_index;
    self->saved_offset = ring.header.head;
  }
  uint32_t unsaved = head_index + ring.count - self->saved_index;
  int32_t status = save_header(self, &ring.header, unsaved > 0);
  for (; status == 0 && unsaved > 0; unsaved--) {
    const uint32_t offset = ring_resolve(ring.bytes, ring.size, self->saved_offset);
    const uint8_t *record = record_at(&ring, offset);
    status = save_record(self, record, edge_link_next_seq(&of->core) - unsaved);
    if (status < 0) break;
    self->saved_index++;
    self->saved_offset = offset + ring_record_bytes(record);
  }
  if (status == 0) edge_link_dirty_clear(&of->core);
  return status;
}

/** A record in the ring, and its name. */
typedef struct {
  const uint8_t *record;
  uint32_t epoch; /* 0: the running one */
  uint32_t seq;
} named_record;

/** Find the record with this number, if the ring still holds it. */
static bool find_record(const flash_ring *self, const flash_ring_view *ring, uint32_t number, named_record *found) {
  uint32_t offset = ring->header.head;
  *found = (named_record){NULL, ring->header.head_epoch, ring->header.head_seq};
  for (uint32_t i = 0; i < ring->count; i++) {
    const uint32_t index = ring->header.head_index + i;
    if ((int32_t)(index - self->saved_index) >= 0) return false;
    offset = ring_resolve(ring->bytes, ring->size, offset);
    found->record = record_at(ring, offset);
    if (ring_is_keyframe(found->record)) {
      found->epoch = ring_record_epoch(found->record);
      found->seq = ring_record_seq(found->record);
    }
    const uint32_t candidate = number_of(self, index);
    if (candidate == number) return true;
    if (candidate > number) return false;
    offset += ring_record_bytes(found->record);
    found->seq++;
  }
  return false;
}

/** Copy a record out of the sector that will be erased. The last spare may be taken for it, for copies alone. */
static int32_t copy_record(flash_ring *self, const named_record *from, uint32_t number) {
  const uint32_t bytes = ring_record_bytes(from->record);
  if (flash_log_room(&self->log, false) < bytes) {
    const int32_t status = advance(self, FLASH_MARK_COPIES);
    if (status < 0) return status;
  }
  const uint32_t epoch = from->epoch == 0 ? self->mark.granted : from->epoch;
  const flash_entry entry = {FLASH_RECORD, number, self->mark.head, epoch, from->seq, bytes};
  return flash_log_append(&self->log, &entry, from->record, false);
}

/** Say once more how things stand, so that no mark of the victim is needed, nor one mark alone. */
static int32_t end_copies(flash_ring *self, const flash_ring_view *ring) {
  note_head(self, &ring->header, &self->mark);
  int32_t status = append_mark(self, FLASH_MARK_COPIED, true);
  if (status != FLASH_LOG_NO_ROOM || self->log.spares == 0) return status == FLASH_LOG_NO_ROOM ? 0 : status;
  status = advance(self, FLASH_MARK_COPIES);
  return status < 0 ? status : append_mark(self, FLASH_MARK_COPIED, true);
}

static int32_t copy_some(flash_ring *self, const flash_ring_view *ring) {
  flash_entry entry;
  named_record live;
  flash_place next = self->victim;
  const uint32_t victim = flash_log_victim(&self->log);
  while (flash_log_next(&self->log, &next, victim, &entry) != 0) {
    if (entry.kind == FLASH_RECORD && find_record(self, ring, entry.number, &live)) {
      const int32_t status = copy_record(self, &live, entry.number);
      if (status == 0) self->victim = next;
      return status;
    }
    self->victim = next;
  }
  const int32_t status = end_copies(self, ring);
  self->is_copied = status == 0;
  return status;
}

int32_t flash_ring_tidy(flash_ring *self, device *of) {
  flash_ring_view ring;
  int32_t status = 0;
  if (self->log.spares >= SPARES_WANTED || !flash_view_ring(of, &ring)) return FLASH_TIDY_DONE;
  if (!self->is_copying) {
    self->victim = flash_log_oldest(&self->log);
    self->is_copying = true;
  }
  if (self->is_copied) {
    status = flash_log_erase(&self->log);
    if (status == 0) self->is_copying = self->is_copied = false;
  } else {
    status = copy_some(self, &ring);
  }
  return status < 0 ? status : flash_ring_tidy_due(self);
}

int32_t flash_ring_tidy_due(const flash_ring *self) {
  if (self->log.spares >= SPARES_WANTED) return FLASH_TIDY_DONE;
  return self->is_copied ? FLASH_TIDY_ERASE : FLASH_TIDY_COPY;
}

uint32_t flash_ring_sectors(const flash *chip, uint32_t ring_bytes, uint32_t record_bytes) {
  const flash_log log = {chip, 0, 0, 0};
  const uint32_t unit = chip->write_unit;
  const uint32_t usable = flash_log_payload_max(&log);
  if (record_bytes >= usable) return 0;
  const uint32_t smallest = (FLASH_LOG_ENTRY_BYTES + RING_RECORD_BYTES_MIN + unit - 1) & ~(unit - 1);
  const uint32_t entries = ring_capacity(ring_bytes) / RING_RECORD_BYTES_MIN * smallest;
  const uint32_t sectors = (entries + usable - record_bytes - 1) / (usable - record_bytes);
  return SPARES_WANTED + 1 + sectors;
}

/** Take up counting where the rebuilt ring, or one that begins empty, stands. */
static void attach(flash_ring *self, device *of, uint32_t next) {
  flash_ring_view ring;
  if (!flash_view_ring(of, &ring)) return;
  self->saved_index = ring.header.head_index + ring.count;
  self->saved_offset = ring.header.head;
  for (uint32_t i = 0; i < ring.count; i++) {
    const uint32_t offset = ring_resolve(ring.bytes, ring.size, self->saved_offset);
    self->saved_offset = offset + ring_record_bytes(record_at(&ring, offset));
  }
  if (ring.count == 0) self->run_count = 0;
  if (self->run_count > 0 && next_number(self) == next) return;
  self->runs[self->run_count++] = (flash_run){self->saved_index, next};
}

/** What the log held is an earlier boot's now. @returns 0 or FLASH_LOG_CHIP_FAILED */
static int32_t begin_boot(flash_ring *self, uint32_t next) {
  if (self->mark.granted != 0) {
    self->mark.last = self->mark.granted;
    self->mark.named_until = next;
    self->mark.wished = self->mark.granted + 1;
    self->mark.granted = 0;
    self->marks_due = 1;
  }
  /* Power failed while the last spare took copies: all that it holds is still where it was copied from. */
  const bool is_half_copied = self->is_copying && !self->is_copied;
  self->is_copying = self->is_copied;
  return is_half_copied ? flash_log_step_back(&self->log) : 0;
}

int32_t flash_ring_open(flash_ring *self, const flash *chip, device *of, uint32_t nonce, uint32_t now_ms) {
  const uint32_t wanted = flash_ring_sectors(chip, of->ring_bytes, of->record_bytes);
  uint32_t next = 0;
  memset(self, 0, sizeof *self);
  if (wanted == 0 || wanted > chip->sectors) return FLASH_RING_SMALL;
  int32_t status = flash_log_begin(&self->log, chip);
  if (status < 0) return status;
  const bool has_ring = flash_rebuild(self, of, &next);
  status = begin_boot(self, next);
  if (status < 0) return status;
  status = has_ring ? device_restore(of, NULL, nonce, now_ms) : EDGE_STATUS_RING_EMPTY;
  if (status == EDGE_STATUS_RING_EMPTY || status == EDGE_STATUS_RING_FOREIGN) {
    const uint32_t last = self->mark.last;
    status = device_open(of, nonce, last == 0 ? 0 : last + 1, now_ms);
  }
  if (status >= 0) attach(self, of, next);
  return status;
}
