#include <string.h>

#include "flash-mark.h"
#include "ring-image.h"

/** One run is left free for what the boot itself begins. */
#define RUNS_MAX (FLASH_RING_RUNS_MAX - 1u)

/** Records found so far, packed, in the order of their numbers, which are in their scratch. */
typedef struct {
  uint8_t *records;
  uint32_t capacity;
  uint32_t used;
  uint32_t last;  /* largest number in it */
  uint32_t head;  /* number of the oldest record, if that was not damaged */
  uint32_t head_epoch;
  uint32_t head_seq;
  bool has_unnamed;
} gathered;

static uint32_t load32(const uint8_t *from) {
  return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static void read_bytes(const flash_ring *self, uint32_t address, uint8_t *bytes, uint32_t length) {
  self->log.chip->read(self->log.chip->chip, address, bytes, length);
}

static uint32_t larger(uint32_t a, uint32_t b) {
  return a > b ? a : b;
}

static flash_mark read_mark(const flash_ring *self, const flash_entry *entry, uint32_t address) {
  uint8_t payload[FLASH_MARK_BYTES];
  read_bytes(self, address, payload, FLASH_MARK_BYTES);
  return (flash_mark){entry->head,
                      entry->epoch,
                      entry->seq,
                      load32(payload),
                      load32(payload + 4),
                      load32(payload + 8),
                      load32(payload + 12),
                      {load32(payload + 16), load32(payload + 20)}};
}

static bool is_mark(const flash_entry *entry) {
  return entry->kind >= FLASH_MARK && entry->kind <= FLASH_MARK_COPIED && entry->bytes == FLASH_MARK_BYTES;
}

/** What a record proves, should the marks that say it be damaged. */
static void note_epoch(flash_mark *mark, const flash_entry *entry) {
  if (entry->epoch > mark->granted && entry->epoch > mark->last) {
    mark->granted = mark->wished = entry->epoch;
  } else if (entry->epoch == 0 && mark->granted != 0) {
    /* A boot that was granted an epoch names it: another one has begun. */
    mark->last = mark->granted;
    mark->wished = mark->granted + 1;
    mark->named_until = entry->number;
    mark->granted = 0;
  }
}

/** What the whole log comes to: the newest mark, the largest head, the next number. @returns whether there is a mark */
static bool survey(flash_ring *self, uint32_t *next) {
  flash_place place = flash_log_oldest(&self->log);
  flash_entry entry;
  uint32_t address = 0;
  uint32_t head = 0;
  bool has_mark = false;
  uint32_t sector = 0; /* the one being read */
  while ((address = flash_log_next(&self->log, &place, self->log.current, &entry)) != 0) {
    head = larger(head, entry.head);
    if (place.id != sector) self->is_copying = self->is_copied = false;
    sector = place.id;
    if (entry.kind == FLASH_MARK_COPIES) self->is_copying = true;
    if (entry.kind == FLASH_MARK_COPIED) self->is_copied = true;
    if (is_mark(&entry)) {
      self->mark = read_mark(self, &entry, address);
      *next = larger(*next, entry.number);
      has_mark = true;
    } else if (entry.kind == FLASH_RECORD) {
      *next = larger(*next, entry.number + 1);
      note_epoch(&self->mark, &entry);
    }
  }
  self->mark.head = head;
  self->is_copying = self->is_copying && sector == self->log.current && self->log.spares == 0;
  self->is_copied = self->is_copied && self->is_copying;
  return has_mark;
}

/** Records below a number that name no epoch are of this one. */
static void name_before(gathered *found, uint32_t number, uint32_t epoch) {
  if (!found->has_unnamed) return;
  found->has_unnamed = false;
  for (uint32_t at = 0; at < found->used; at += ring_record_bytes(found->records + at)) {
    uint8_t *record = found->records + at;
    if (!ring_is_keyframe(record) || ring_record_epoch(record) != 0) continue;
    if (ring_scratch(record) < number) ring_name_keyframe(record, epoch);
    else found->has_unnamed = true;
  }
  if (found->head_epoch != 0) return;
  if (found->head < number) found->head_epoch = epoch;
  else found->has_unnamed = true;
}

static void drop_oldest(gathered *found) {
  const uint32_t bytes = ring_record_bytes(found->records);
  found->used -= bytes;
  memmove(found->records, found->records + bytes, found->used);
}

/** Put a record where its number belongs. */
static void insert(const flash_ring *self, gathered *found, const flash_entry *entry, uint32_t address) {
  uint8_t start[4];
  uint32_t at = 0;
  read_bytes(self, address, start, sizeof start);
  const uint32_t bytes = entry->bytes;
  if (ring_record_bytes(start) != bytes || bytes < RING_RECORD_BYTES_MIN || (bytes & 3u) != 0) return;
  if (found->used > 0 && entry->number > found->last) at = found->used;
  while (at < found->used && ring_scratch(found->records + at) < entry->number) at += ring_record_bytes(found->records + at);
  if (at < found->used && ring_scratch(found->records + at) == entry->number) return; /* a copy of it was there */
  while (found->capacity - found->used < bytes && at > 0) {
    at -= ring_record_bytes(found->records);
    drop_oldest(found);
  }
  if (found->capacity - found->used < bytes) return;
  uint8_t *record = found->records + at;
  memmove(record + bytes, record, found->used - at);
  read_bytes(self, address, record, bytes);
  found->used += bytes;
  found->last = larger(found->last, entry->number);
  ring_set_scratch(record, entry->number);
  if (ring_is_keyframe(record)) ring_name_keyframe(record, entry->epoch);
  if (entry->epoch == 0) found->has_unnamed = true;
  if (entry->number != found->head) return;
  found->head_epoch = entry->epoch;
  found->head_seq = entry->seq;
}

/** Collect every record that nobody has confirmed, and give each its epoch as soon as the log tells it. */
static void gather(const flash_ring *self, gathered *found) {
  flash_place place = flash_log_oldest(&self->log);
  flash_entry entry;
  uint32_t address = 0;
  while ((address = flash_log_next(&self->log, &place, self->log.current, &entry)) != 0) {
    if (is_mark(&entry)) {
      const flash_mark mark = read_mark(self, &entry, address);
      if (mark.last != 0) name_before(found, mark.named_until, mark.last);
      if (mark.granted != 0) name_before(found, UINT32_MAX, mark.granted);
    } else if (entry.kind == FLASH_RECORD && entry.number >= found->head) {
      if (entry.epoch != 0) name_before(found, entry.number, entry.epoch);
      insert(self, found, &entry, address);
    }
  }
}

/** Forget the oldest run; `starts` says where each begins. @returns bytes dropped */
static uint32_t drop_run(flash_ring *self, gathered *found, uint32_t *starts, uint32_t kept) {
  const uint32_t bytes = starts[1];
  memmove(found->records, found->records + bytes, kept - bytes);
  for (uint32_t i = 1; i < self->run_count; i++) {
    self->runs[i - 1] = self->runs[i];
    starts[i - 1] = starts[i] - bytes;
  }
  self->run_count--;
  return bytes;
}

/** Drop what follows a missing record up to the next keyframe, since nobody could decode it. */
static void close_gaps(flash_ring *self, gathered *found, uint32_t next) {
  uint32_t starts[FLASH_RING_RUNS_MAX] = {0};
  uint32_t kept = 0;
  uint32_t index = 0;
  uint32_t expected = found->head;
  for (uint32_t from = 0; from < found->used;) {
    uint8_t *record = found->records + from;
    const uint32_t bytes = ring_record_bytes(record);
    const uint32_t number = ring_scratch(record);
    from += bytes;
    if (number != expected && !ring_is_keyframe(record)) continue;
    if (kept == 0) index = number;
    if (kept == 0 || number != expected) {
      self->damaged += number - expected;
      if (self->run_count == RUNS_MAX) kept -= drop_run(self, found, starts, kept);
      starts[self->run_count] = kept;
      self->runs[self->run_count++] = (flash_run){index, number};
    }
    memmove(found->records + kept, record, bytes);
    kept += bytes;
    index++;
    expected = number + 1;
  }
  self->damaged += next - expected;
  found->used = kept;
  memset(found->records + kept, 0, found->capacity - kept);
}

bool flash_rebuild(flash_ring *self, device *of, uint32_t *next) {
  uint8_t *ring = edge_bytes(&of->core, of->ring, of->ring_bytes);
  self->run_count = 0;
  *next = 0;
  if (!survey(self, next)) return false;
  gathered found = {ring + RING_HEADERS_BYTES, ring_capacity(of->ring_bytes), 0, 0, self->mark.head, 0, 0, false};
  gather(self, &found);
  close_gaps(self, &found, *next);
  const flash_mark *mark = &self->mark;
  ring_header header = {mark->granted,    {mark->birth[0], mark->birth[1]}, 0, *next, mark->head_epoch,
                        mark->head_seq, mark->wished};
  if (found.used > 0) {
    const bool is_keyframe = ring_is_keyframe(found.records);
    header.head_index = self->runs[0].index;
    header.head_epoch = is_keyframe ? ring_record_epoch(found.records) : found.head_epoch;
    header.head_seq = is_keyframe ? ring_record_seq(found.records) : found.head_seq;
  }
  uint32_t index = header.head_index;
  for (uint32_t at = 0; at < found.used; at += ring_record_bytes(found.records + at)) ring_seal(found.records + at, index++);
  ring_write_header(ring, of->ring_bytes, &header);
  return true;
}
