/* The four functions that gcc itself may call, for a program without a C library. */
#include <string.h>

/* Else gcc would see in each loop the function that it stands in. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

#undef memcpy
#undef memmove
#undef memset
#undef memcmp

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  unsigned char *write = to;
  const unsigned char *read = from;
  while (count-- > 0) *write++ = *read++;
  return to;
}

void *memmove(void *to, const void *from, size_t count) {
  unsigned char *write = to;
  const unsigned char *read = from;
  if (write <= read) {
    while (count-- > 0) *write++ = *read++;
  } else {
    while (count-- > 0) write[count] = read[count];
  }
  return to;
}

void *memset(void *to, int value, size_t count) {
  unsigned char *write = to;
  while (count-- > 0) *write++ = (unsigned char)value;
  return to;
}

int memcmp(const void *one, const void *other, size_t count) {
  const unsigned char *left = one;
  const unsigned char *right = other;
  for (; count > 0; count--, left++, right++) {
    if (*left != *right) return *left < *right ? -1 : 1;
  }
  return 0;
}
