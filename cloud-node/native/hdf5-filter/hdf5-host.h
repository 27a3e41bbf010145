/*
 * The few names of HDF5 that a filter needs, as its public headers have had them since 1.10, and where they are at run time:
 * in the library that calls us. So there is nothing to link with and no header to install, and one build serves the system's
 * libhdf5 and the one inside a Python wheel, which are not on the linker's path at all.
 */
#ifndef HDF5_HOST_H
#define HDF5_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t hid_t;
typedef int herr_t;
typedef int htri_t;
typedef unsigned long long hsize_t;

/** H5Z_class2_t. */
typedef struct {
  int version;
  int id;
  unsigned encoder_present;
  unsigned decoder_present;
  const char *name;
  htri_t (*can_apply)(hid_t creation, hid_t type, hid_t space);
  herr_t (*set_local)(hid_t creation, hid_t type, hid_t space);
  size_t (*filter)(unsigned flags, size_t value_count, const unsigned values[], size_t bytes, size_t *room, void **buffer);
} hdf5_filter_class;

#define HDF5_FILTER_CLASS_VERSION 1 /* H5Z_CLASS_T_VERS */
#define HDF5_PLUGIN_IS_FILTER 0     /* H5PL_TYPE_FILTER */
#define HDF5_REVERSE 0x0100u        /* H5Z_FLAG_REVERSE: decode */
#define HDF5_RANK_MAX 32            /* H5S_MAX_RANK */

/** Functions of the library that called; all are there, or `is_whole` is false. */
typedef struct {
  bool is_whole;
  htri_t (*type_equal)(hid_t one, hid_t other);
  int (*get_chunk)(hid_t creation, int rank_most, hsize_t dimensions[]);
  int (*filter_count)(hid_t creation);
  int (*get_filter)(hid_t creation, unsigned index, unsigned *flags, size_t *value_count, unsigned values[],
                    size_t name_room, char name[], unsigned *config);
  herr_t (*modify_filter)(hid_t creation, int id, unsigned flags, size_t value_count, const unsigned values[]);
  herr_t (*push_error)(hid_t stack, const char *file, const char *function, unsigned line, hid_t error_class, hid_t major,
                       hid_t minor, const char *format, ...);
  const hid_t *float32;
  const hid_t *float64;
  const hid_t *error_class;
  const hid_t *error_major;
  const hid_t *cannot_apply;
  const hid_t *cannot_filter;
} hdf5_host;

/** Chunks are given to the library, which frees them: memory has to be its own. */
typedef struct {
  void *(*allocate)(size_t bytes, bool clear);
  herr_t (*release)(void *memory);
} hdf5_memory;

/**
 * The library that an address lies in.
 *
 * @param caller  a return address; in a library before 1.10 nothing is found, whose identifiers are shorter
 */
hdf5_host hdf5_host_of(const void *caller);

/** The same for memory; what is missing there is the C library's. */
hdf5_memory hdf5_memory_of(const void *caller);

#endif
