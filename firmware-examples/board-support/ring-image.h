/*
 * The core's ring as bytes: what edge-sdk/assembly/ring.ts says of its format, as far as a store must know it to take
 * records out and to put them back.
 */
#ifndef RING_IMAGE_H
#define RING_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes in front of the records: two copies of the header. */
#define RING_HEADERS_BYTES 96u
/** Fewest bytes of a record: a residual of one byte, to whole words. */
#define RING_RECORD_BYTES_MIN 24u

/** The ring's header. */
typedef struct {
  uint32_t epoch; /* granted to the running boot, 0 until then */
  uint32_t birth[2];
  uint32_t head; /* offset of the oldest record, from the end of the headers */
  uint32_t head_index;
  uint32_t head_epoch; /* 0: the running one */
  uint32_t head_seq;
  uint32_t wished; /* the epoch granted or wished for */
} ring_header;

/** Bytes for records in a ring of `ring_bytes`. */
uint32_t ring_capacity(uint32_t ring_bytes);

/** Read the header that counts. @returns false when the ring was never opened */
bool ring_read_header(const uint8_t *ring, ring_header *header);

/** Make it the only header of a ring, as the core would have written it. */
void ring_write_header(uint8_t *ring, uint32_t ring_bytes, const ring_header *header);

/** Where the record that follows at an offset really is: the end of the memory sends it to the start. */
uint32_t ring_resolve(const uint8_t *ring, uint32_t ring_bytes, uint32_t offset);

uint32_t ring_record_bytes(const uint8_t *record);
bool ring_is_keyframe(const uint8_t *record);

/** A keyframe's epoch, 0 the running one, and its seq. */
uint32_t ring_record_epoch(const uint8_t *record);
uint32_t ring_record_seq(const uint8_t *record);
void ring_name_keyframe(uint8_t *record, uint32_t epoch);

/** Four bytes of a record that are free until it is sealed. */
uint32_t ring_scratch(const uint8_t *record);
void ring_set_scratch(uint8_t *record, uint32_t value);

/** Give a record its index, and the check that goes with it. */
void ring_seal(uint8_t *record, uint32_t index);

#endif
