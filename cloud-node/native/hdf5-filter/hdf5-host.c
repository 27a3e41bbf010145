#define _GNU_SOURCE
#include "hdf5-host.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/** A handle that dlclose takes; NULL where there is none. */
static void *open_caller(const void *caller) {
  Dl_info info;
  if (dladdr(caller, &info) == 0 || info.dli_fname == NULL) return NULL;
  void *library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  /* HDF5 within the program itself. */
  return library != NULL ? library : dlopen(NULL, RTLD_LAZY);
}

/** ISO C has no cast from an object's address to a function's. @param function  address of a pointer to a function */
static bool find_function(void *library, const char *name, void *function, size_t bytes) {
  void *found = library == NULL ? NULL : dlsym(library, name);
  memcpy(function, &found, bytes);
  return found != NULL;
}

#define FIND(library, name, pointer) find_function(library, name, &(pointer), sizeof(pointer))

hdf5_host hdf5_host_of(const void *caller) {
  hdf5_host host;
  memset(&host, 0, sizeof host);
  herr_t (*get_version)(unsigned *major, unsigned *minor, unsigned *release);
  unsigned major = 0, minor = 0, release = 0;
  void *library = open_caller(caller);
  if (FIND(library, "H5get_libversion", get_version) && get_version(&major, &minor, &release) >= 0 &&
      (major > 1 || minor >= 10)) {
    host.is_whole = FIND(library, "H5Tequal", host.type_equal) && FIND(library, "H5Pget_chunk", host.get_chunk) &&
                    FIND(library, "H5Pget_nfilters", host.filter_count) &&
                    FIND(library, "H5Pget_filter2", host.get_filter) &&
                    FIND(library, "H5Pmodify_filter", host.modify_filter) &&
                    FIND(library, "H5Epush2", host.push_error) && FIND(library, "H5T_IEEE_F32LE_g", host.float32) &&
                    FIND(library, "H5T_IEEE_F64LE_g", host.float64) &&
                    FIND(library, "H5E_ERR_CLS_g", host.error_class) && FIND(library, "H5E_PLINE_g", host.error_major) &&
                    FIND(library, "H5E_CANAPPLY_g", host.cannot_apply) &&
                    FIND(library, "H5E_CANTFILTER_g", host.cannot_filter);
  }
  if (library != NULL) dlclose(library); /* it called us: it stays */
  return host;
}

static void *allocate_plain(size_t bytes, bool clear) {
  return clear ? calloc(1, bytes) : malloc(bytes);
}

static herr_t release_plain(void *memory) {
  free(memory);
  return 0;
}

hdf5_memory hdf5_memory_of(const void *caller) {
  hdf5_memory memory;
  void *library = open_caller(caller);
  const bool is_there = FIND(library, "H5allocate_memory", memory.allocate);
  if (!FIND(library, "H5free_memory", memory.release) || !is_there) {
    memory.allocate = allocate_plain;
    memory.release = release_plain;
  }
  if (library != NULL) dlclose(library);
  return memory;
}
