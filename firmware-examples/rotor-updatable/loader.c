/* The boot loader: chooses a slot and jumps into its image. It is never replaced over the air. */
#include "board.h"
#include "slots.h"

/** Exit code where no slot holds an image. */
enum { NO_IMAGE = 2 };

#define VECTOR_TABLE (*(volatile uint32_t *)0xE000ED08u)

__attribute__((noreturn)) static void jump_into(const uint8_t *image) {
  const uint32_t *vectors = (const uint32_t *)(const void *)image;
  VECTOR_TABLE = (uint32_t)(uintptr_t)vectors;
  __asm__ volatile("dsb\nisb\nmov sp, %0\nbx %1" ::"r"(vectors[0]), "r"(vectors[1]) : "memory");
  __builtin_unreachable();
}

int main(void) {
  boot_record record;
  const slot_area *area = board_slots();
  const int32_t slot = slots_choose(area, board_restart_cause(), &record);
  if (slot < 0) return NO_IMAGE;
  board_watch(UPDATE_DEVICE_WATCHDOG_MS); /* an image that hangs before it can see to that itself */
  jump_into(slots_body(area, (uint32_t)slot));
}
