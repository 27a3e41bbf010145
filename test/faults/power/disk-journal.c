/*
 * Preloaded into a process, writes down everything that it does to the files of one folder, in the order in which it
 * happened: what a disk was told, and when it was told to keep it. Nothing is synchronized for real; whether that matters
 * is for whoever replays the journal.
 *
 *     LD_PRELOAD=disk-journal.so DISK_FOLDER=/a/folder DISK_JOURNAL=/elsewhere/journal program …
 *
 * One record after the other, numbers little-endian:
 *
 *     operation u8 | path bytes u32 | data bytes u32 | offset u64 | path, from the folder on | data
 *
 *     C file made              W data written at offset      T file ends at offset      S file or folder synchronized
 *     U name removed           R renamed; data: the new path      X something that is not written down here, which must not be
 *
 * Shared memory of SQLite's is left out: it is made anew by the first one who opens a database.
 *
 * As long as there is a file DISK_REFUSES the disk is out of order: of the operations named in it, by the letters above,
 * each one fails with the number of the error that follows: `WT 28` while there is no room, `WTCUR 30` for a disk that can
 * only be read, `S 5` for one that fails when it is told to keep something. A third word is the end of the only path that is
 * concerned: `C 30 -wal`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 4096
#define HEAD_BYTES 17u

static char *paths[MOST_FILES];
/* A descriptor may be closed where nobody sees it, and be another file's later: which file it was opened for. */
static ino_t files[MOST_FILES];
static char folder[PATH_MAX];
static char refuses[PATH_MAX];
static size_t folder_length;
static int journal = -1;
static int is_ready;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* ISO C has no conversion from an object's address to a function's; POSIX says that both are the same. */
static void find(const char *name, void *function) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  memcpy(function, &found, sizeof found);
}

static void put_all(const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    const ssize_t count = (ssize_t)syscall(SYS_write, journal, at, length);
    if (count <= 0) abort();
    at += count;
    length -= (size_t)count;
  }
}

static void prepare(void) {
  if (is_ready) return;
  is_ready = 1;
  const char *given = getenv("DISK_FOLDER");
  const char *file = getenv("DISK_JOURNAL");
  if (given == NULL || file == NULL || realpath(given, folder) == NULL) return;
  folder_length = strlen(folder);
  const char *order = getenv("DISK_REFUSES");
  if (order != NULL) snprintf(refuses, sizeof refuses, "%s", order);
  journal = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (journal < 0) abort();
}

static uint8_t *put_number(uint8_t *at, uint64_t number, unsigned bytes) {
  for (unsigned i = 0; i < bytes; i++) at[i] = (uint8_t)(number >> (8 * i));
  return at + bytes;
}

/* The caller has the turn. */
static void note(char operation, const char *path, uint64_t offset, const void *data, size_t length) {
  uint8_t head[HEAD_BYTES];
  const size_t path_length = strlen(path);
  uint8_t *at = head;
  *at++ = (uint8_t)operation;
  at = put_number(at, path_length, 4);
  at = put_number(at, length, 4);
  put_number(at, offset, 8);
  put_all(head, HEAD_BYTES);
  put_all(path, path_length);
  if (length > 0) put_all(data, length);
}

/* Where a path leads inside the folder; nothing for any other, and for shared memory. The caller frees it. */
static char *inside(const char *path) {
  char resolved[PATH_MAX];
  char parent[PATH_MAX];
  prepare();
  if (journal < 0 || path == NULL) return NULL;
  if (realpath(path, resolved) == NULL) {
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    snprintf(parent, sizeof parent, "%.*s", slash == NULL ? 1 : (int)(slash - path), slash == NULL ? "." : path);
    char above[PATH_MAX];
    if (realpath(parent, above) == NULL || strlen(above) + strlen(name) + 2 > sizeof resolved) return NULL;
    strcpy(resolved, above);
    strcat(resolved, "/");
    strcat(resolved, name);
  }
  if (strncmp(resolved, folder, folder_length) != 0) return NULL;
  const char *rest = resolved + folder_length;
  if (*rest != '/' && *rest != '\0') return NULL;
  const size_t length = strlen(rest);
  if (length >= 4 && strcmp(rest + length - 4, "-shm") == 0) return NULL;
  return strdup(*rest == '/' ? rest + 1 : rest);
}

static const char *path_of(int descriptor) {
  struct stat facts;
  if (descriptor < 0 || descriptor >= MOST_FILES || paths[descriptor] == NULL) return NULL;
  return fstat(descriptor, &facts) == 0 && facts.st_ino == files[descriptor] ? paths[descriptor] : NULL;
}

/* Whether the disk does not do this now; errno then says why. */
static int is_refused(char operation, const char *path) {
  char order[64];
  if (refuses[0] == '\0') return 0;
  const int file = (int)syscall(SYS_openat, AT_FDCWD, refuses, O_RDONLY | O_CLOEXEC, 0);
  if (file < 0) return 0;
  const ssize_t count = (ssize_t)syscall(SYS_read, file, order, sizeof order - 1);
  syscall(SYS_close, file);
  if (count <= 0) return 0;
  order[count] = '\0';
  const char *number = strchr(order, ' ');
  const char *letter = strchr(order, operation);
  if (number == NULL || letter == NULL || letter > number) return 0;
  const char *end = strchr(number + 1, ' ');
  if (end != NULL) {
    end++;
    if (strlen(path) < strlen(end) || strcmp(path + strlen(path) - strlen(end), end) != 0) return 0;
  }
  errno = atoi(number);
  return 1;
}

static uint64_t size_of(int descriptor) {
  struct stat facts;
  return fstat(descriptor, &facts) == 0 ? (uint64_t)facts.st_size : 0;
}

static int opened(const char *path, int flags, mode_t mode, int at) {
  static int (*real)(int, const char *, int, ...);
  char *own = inside(path);
  if (real == NULL) find("openat", &real);
  if (own == NULL) return real(at, path, flags, mode);
  pthread_mutex_lock(&turn);
  struct stat facts;
  const int was_there = stat(path, &facts) == 0;
  const int is_making = !was_there && (flags & O_CREAT) != 0;
  /* A disk that can only be read opens nothing for writing. */
  const int is_writing = (flags & O_ACCMODE) != O_RDONLY;
  const int descriptor = (is_making || is_writing) && is_refused('C', own) ? -1 : real(at, path, flags, mode);
  const int reason = errno;
  if (descriptor >= 0) {
    if (!was_there) note('C', own, 0, NULL, 0);
    else if ((flags & O_TRUNC) != 0 && facts.st_size > 0) note('T', own, 0, NULL, 0);
    if (descriptor >= MOST_FILES) abort();
    free(paths[descriptor]);
    paths[descriptor] = own;
    files[descriptor] = fstat(descriptor, &facts) == 0 ? facts.st_ino : 0;
  } else {
    free(own);
  }
  pthread_mutex_unlock(&turn);
  errno = reason;
  return descriptor;
}

#define OPEN_MODE(mode, flags)                             \
  mode_t mode = 0;                                         \
  if (((flags) & O_CREAT) != 0) {                          \
    va_list rest;                                          \
    va_start(rest, flags);                                 \
    mode = va_arg(rest, mode_t);                           \
    va_end(rest);                                          \
  }

int open(const char *path, int flags, ...) {
  OPEN_MODE(mode, flags)
  return opened(path, flags, mode, AT_FDCWD);
}

int open64(const char *path, int flags, ...) {
  OPEN_MODE(mode, flags)
  return opened(path, flags, mode, AT_FDCWD);
}

int openat(int at, const char *path, int flags, ...) {
  OPEN_MODE(mode, flags)
  return opened(path, flags, mode, at);
}

int close(int descriptor) {
  static int (*real)(int);
  if (real == NULL) find("close", &real);
  if (path_of(descriptor) != NULL) {
    pthread_mutex_lock(&turn);
    free(paths[descriptor]);
    paths[descriptor] = NULL;
    pthread_mutex_unlock(&turn);
  }
  return real(descriptor);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t offset) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (real == NULL) find("pwrite64", &real);
  const char *path = path_of(descriptor);
  if (path == NULL) return real(descriptor, bytes, length, offset);
  pthread_mutex_lock(&turn);
  const ssize_t count = is_refused('W', path) ? -1 : real(descriptor, bytes, length, offset);
  if (count > 0) note('W', path, (uint64_t)offset, bytes, (size_t)count);
  pthread_mutex_unlock(&turn);
  return count;
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) find("write", &real);
  const char *path = path_of(descriptor);
  if (path == NULL) return real(descriptor, bytes, length);
  pthread_mutex_lock(&turn);
  const int is_appending = (fcntl(descriptor, F_GETFL) & O_APPEND) != 0;
  const uint64_t offset = is_appending ? size_of(descriptor) : (uint64_t)lseek64(descriptor, 0, SEEK_CUR);
  const ssize_t count = is_refused('W', path) ? -1 : real(descriptor, bytes, length);
  if (count > 0) note('W', path, offset, bytes, (size_t)count);
  pthread_mutex_unlock(&turn);
  return count;
}

static int truncated(int descriptor, off64_t length) {
  static int (*real)(int, off64_t);
  if (real == NULL) find("ftruncate64", &real);
  const char *path = path_of(descriptor);
  if (path == NULL) return real(descriptor, length);
  pthread_mutex_lock(&turn);
  const int result = is_refused('T', path) ? -1 : real(descriptor, length);
  if (result == 0) note('T', path, (uint64_t)length, NULL, 0);
  pthread_mutex_unlock(&turn);
  return result;
}

int ftruncate(int descriptor, off_t length) {
  return truncated(descriptor, length);
}

int ftruncate64(int descriptor, off64_t length) {
  return truncated(descriptor, length);
}

static int synced(int descriptor, const char *name) {
  int (*real)(int);
  const char *path = path_of(descriptor);
  if (path == NULL) {
    find(name, &real);
    return real(descriptor);
  }
  pthread_mutex_lock(&turn);
  const int result = is_refused('S', path) ? -1 : 0;
  if (result == 0) note('S', path, 0, NULL, 0);
  pthread_mutex_unlock(&turn);
  return result;
}

int fsync(int descriptor) {
  return synced(descriptor, "fsync");
}

int fdatasync(int descriptor) {
  return synced(descriptor, "fdatasync");
}

/* Of a name that may be inside the folder. */
static int removed(const char *path, int at, int flags) {
  static int (*real)(int, const char *, int);
  if (real == NULL) find("unlinkat", &real);
  char *own = inside(path);
  if (own == NULL) return real(at, path, flags);
  pthread_mutex_lock(&turn);
  const int result = is_refused('U', own) ? -1 : real(at, path, flags);
  const int reason = errno;
  if (result == 0) note('U', own, 0, NULL, 0);
  pthread_mutex_unlock(&turn);
  free(own);
  errno = reason;
  return result;
}

int unlink(const char *path) {
  return removed(path, AT_FDCWD, 0);
}

int unlinkat(int at, const char *path, int flags) {
  return removed(path, at, flags);
}

int rename(const char *from, const char *to) {
  static int (*real)(const char *, const char *);
  if (real == NULL) find("rename", &real);
  char *own = inside(from);
  char *other = inside(to);
  pthread_mutex_lock(&turn);
  const int result = own != NULL && is_refused('R', own) ? -1 : real(from, to);
  const int reason = errno;
  if (result == 0 && own != NULL && other != NULL) note('R', own, 0, other, strlen(other));
  else if (result == 0 && (own != NULL || other != NULL)) note('X', own != NULL ? own : other, 0, "rename", 6);
  pthread_mutex_unlock(&turn);
  free(own);
  free(other);
  errno = reason;
  return result;
}

/* What nobody does to these files yet: seen, so that it cannot begin unseen. */
static void unseen(int descriptor, const char *what) {
  const char *path = path_of(descriptor);
  if (path == NULL) return;
  pthread_mutex_lock(&turn);
  note('X', path, 0, what, strlen(what));
  pthread_mutex_unlock(&turn);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (real == NULL) find("writev", &real);
  unseen(descriptor, "writev");
  return real(descriptor, parts, count);
}

void *mmap64(void *address, size_t length, int access, int flags, int descriptor, off64_t offset) {
  static void *(*real)(void *, size_t, int, int, int, off64_t);
  if (real == NULL) find("mmap64", &real);
  if ((flags & MAP_SHARED) != 0 && (access & PROT_WRITE) != 0) unseen(descriptor, "mmap");
  return real(address, length, access, flags, descriptor, offset);
}

int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
  static int (*real)(int, off64_t, off64_t);
  if (real == NULL) find("posix_fallocate64", &real);
  unseen(descriptor, "fallocate");
  return real(descriptor, offset, length);
}
