/*
 * Checks a module for the interpreter and makes its index, on the machine that builds.
 *
 *     index-maker MODULE BYTES-OF-MEMORY HALFWORDS-OF-WORK OUT
 *
 * Exit code 0 with the index in OUT; 3 with two numbers on standard output, why the module is refused and where.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interpreter.h"

enum { MODULE_MOST = 65536, INDEX_MOST = 262144, REFUSED = 3, FAILED = 2 };

static uint8_t module[MODULE_MOST];
static uint8_t made[INDEX_MOST];

static bool keep(void *context, uint32_t at, const void *bytes, uint32_t length) {
  (void)context;
  if (length > sizeof made || at > sizeof made - length) return false;
  memcpy(made + at, bytes, length);
  return true;
}

static size_t read_module(const char *name) {
  FILE *file = fopen(name, "rb");
  if (file == NULL) exit(FAILED);
  const size_t length = fread(module, 1, sizeof module, file);
  fclose(file);
  return length;
}

static void write_index(const char *name, size_t length) {
  FILE *file = fopen(name, "wb");
  if (file == NULL || fwrite(made, 1, length, file) != length || fclose(file) != 0) exit(FAILED);
}

int main(int count, char **args) {
  if (count != 5) return FAILED;
  interpreter_checking given = {.module = module, .put = keep};
  given.module_bytes = (uint32_t)read_module(args[1]);
  given.memory_bytes = (uint32_t)strtoul(args[2], NULL, 10);
  given.work_halfwords = (uint32_t)strtoul(args[3], NULL, 10);
  given.work = malloc(2 * (size_t)given.work_halfwords + 2);
  if (given.work == NULL) return FAILED;
  const interpreter_result result = interpreter_check(&given);
  free(given.work);
  if (result.code == INTERPRETER_OK) {
    write_index(args[4], result.at);
    return 0;
  }
  printf("%u %lu\n", (unsigned)result.code, (unsigned long)result.at);
  return REFUSED;
}
