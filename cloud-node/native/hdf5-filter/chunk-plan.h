/*
 * What a chunk is, as the filter's client data (cd_values) says. A user gives two or three numbers; when a dataset is made
 * they become eight, which are what the file keeps:
 *
 *     0  1                              2          3
 *     eps, low bits   eps, high bits    mode                                        given; mode may be missing
 *
 *     0           1              2     3       4      5               6                7
 *     "LK", 1     element bytes  axes  frames  atoms  eps, low bits   eps, high bits   mode
 *
 * eps is a float64, > 0, in the unit of the data; mode is 0, 1 or 2.
 */
#ifndef CHUNK_PLAN_H
#define CHUNK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_VALUES 8
#define GIVEN_VALUES_MOST 3

typedef enum {
  MODE_MAX,  /* no error is above eps, however often a chunk is written */
  MODE_RMS,  /* nor, in a chunk that is written once, their root mean square above eps / 2 */
  MODE_ONCE, /* no error is above eps in a chunk that is written once: smaller */
} chunk_mode;

typedef struct {
  uint32_t element_bytes; /* 4: float32, 8: float64 */
  uint32_t axes;          /* 1 … 3, fastest in the data */
  uint32_t frames;
  uint32_t atoms;
  double eps;
  chunk_mode mode;
} chunk_plan;

/**
 * eps and mode out of either list.
 *
 * @returns NULL, or what is wrong with it, for a person
 */
const char *plan_read_bound(chunk_plan *plan, size_t value_count, const unsigned values[]);

/** The shape of a chunk. @param dimensions  as HDF5 has them: time first. @returns NULL, or what is wrong, for a person */
const char *plan_set_shape(chunk_plan *plan, int rank, const unsigned long long dimensions[], uint32_t element_bytes);

/** Whether its shape is one that `plan_set_shape` gives. */
bool plan_has_shape(const chunk_plan *plan);

/** A list of eight. @returns whether it is one, with everything in range */
bool plan_read(chunk_plan *plan, size_t value_count, const unsigned values[]);

void plan_write(const chunk_plan *plan, unsigned values[PLAN_VALUES]);

/** Bytes of the chunk; fits size_t, since `plan_set_shape` and `plan_read` refuse what does not. */
size_t plan_bytes(const chunk_plan *plan);

#endif
