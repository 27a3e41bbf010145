/* The filter as HDF5 sees it: the plugin's two entries, and what is asked before a dataset is made. */
#include <string.h>

#include "chunk-codec.h"
#include "chunk-plan.h"
#include "hdf5-host.h"

/** 256 to 511 are for filters that are not registered with the HDF Group. */
#define FILTER_ID 480
#define EXPORTED __attribute__((visibility("default")))
/** The library's own frame, at the time when it calls one of ours. */
#define CALLER __builtin_return_address(0)
/** More than any list that is right; of a longer one the rest is not looked at. */
#define VALUES_ROOM 16

/** What is known of a dataset before it is made. */
typedef struct {
  chunk_plan plan;
  unsigned flags;
} dataset;

static uint32_t element_bytes_of(const hdf5_host *host, hid_t type) {
  if (host->type_equal(type, *host->float32) > 0) return 4;
  return host->type_equal(type, *host->float64) > 0 ? 8 : 0;
}

/** @returns NULL, or why the filter cannot be applied, for a person */
static const char *look_at(const hdf5_host *host, hid_t creation, hid_t type, dataset *found) {
  hsize_t dimensions[HDF5_RANK_MAX];
  unsigned values[VALUES_ROOM];
  size_t count = VALUES_ROOM;
  unsigned config;
  if (type < 0) return "it takes datasets, and nothing else of a file";
  const uint32_t element_bytes = element_bytes_of(host, type);
  if (element_bytes == 0) return "it takes little-endian float32 and float64";
  const int rank = host->get_chunk(creation, HDF5_RANK_MAX, dimensions);
  if (rank < 1) return "the dataset must be chunked";
  const int id = host->get_filter(creation, 0, &found->flags, &count, values, 0, NULL, &config);
  if (id != FILTER_ID) return "it must be the first filter: no shuffle, scale-offset or compression before it";
  const int filters = host->filter_count(creation);
  for (int i = 1; i < filters; i++) {
    size_t others = 0;
    unsigned flags;
    if (host->get_filter(creation, (unsigned)i, &flags, &others, NULL, 0, NULL, &config) == FILTER_ID)
      return "it is there twice";
  }
  const char *wrong = count > VALUES_ROOM ? "it has too many options" : plan_read_bound(&found->plan, count, values);
  return wrong != NULL ? wrong : plan_set_shape(&found->plan, rank, dimensions, element_bytes);
}

/** Say why, where h5py and the HDF5 tools look. */
static void report(const hdf5_host *host, hid_t kind, const char *wrong) {
  host->push_error(0, __FILE__, __func__, __LINE__, *host->error_class, *host->error_major, kind,
                   "lockstep trajectory filter: %s", wrong);
}

static htri_t can_apply(hid_t creation, hid_t type, hid_t space) {
  (void)space;
  const hdf5_host host = hdf5_host_of(CALLER);
  dataset found;
  if (!host.is_whole) return 0;
  const char *wrong = look_at(&host, creation, type, &found);
  if (wrong != NULL) report(&host, *host.cannot_apply, wrong);
  return wrong == NULL;
}

static herr_t set_local(hid_t creation, hid_t type, hid_t space) {
  (void)space;
  const hdf5_host host = hdf5_host_of(CALLER);
  dataset found;
  unsigned values[PLAN_VALUES];
  if (!host.is_whole) return -1;
  const char *wrong = look_at(&host, creation, type, &found);
  if (wrong != NULL) {
    report(&host, *host.cannot_apply, wrong);
    return -1;
  }
  plan_write(&found.plan, values);
  return host.modify_filter(creation, FILTER_ID, found.flags, PLAN_VALUES, values);
}

static size_t filter(unsigned flags, size_t value_count, const unsigned values[], size_t bytes, size_t *room,
                     void **buffer) {
  const void *const caller = CALLER;
  const hdf5_memory memory = hdf5_memory_of(caller);
  chunk_plan read;
  const chunk_plan *const plan = plan_read(&read, value_count, values) ? &read : NULL;
  chunk_bytes out;
  if ((flags & HDF5_REVERSE) != 0) {
    const char *wrong = chunk_decode(plan, *buffer, bytes, memory, &out);
    if (wrong != NULL) {
      const hdf5_host host = hdf5_host_of(caller);
      if (host.is_whole) report(&host, *host.cannot_filter, wrong);
      return 0;
    }
  } else if (!chunk_encode(plan, *buffer, bytes, memory, &out)) {
    return 0;
  }
  memory.release(*buffer);
  *buffer = out.data;
  *room = out.room;
  return out.bytes;
}

static const hdf5_filter_class FILTER = {
    .version = HDF5_FILTER_CLASS_VERSION,
    .id = FILTER_ID,
    .encoder_present = 1,
    .decoder_present = 1,
    .name = "lockstep trajectory, within eps",
    .can_apply = can_apply,
    .set_local = set_local,
    .filter = filter,
};

EXPORTED int H5PLget_plugin_type(void);
EXPORTED int H5PLget_plugin_type(void) {
  return HDF5_PLUGIN_IS_FILTER;
}

EXPORTED const void *H5PLget_plugin_info(void);
EXPORTED const void *H5PLget_plugin_info(void) {
  return &FILTER;
}
