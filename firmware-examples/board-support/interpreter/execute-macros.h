/* Short forms for `execute.c`: they speak of its variables `pc`, `sp`, `top`, `code` and of its labels. */
#ifndef INTERPRETER_EXECUTE_MACROS_H
#define INTERPRETER_EXECUTE_MACROS_H

#if defined(__GNUC__)
/** The check has let nothing else through. */
#define NO_OTHER __builtin_unreachable()
#else
#define NO_OTHER STOP(INTERPRETER_UNREACHABLE)
#endif

#if defined(__GNUC__)
#define UNLIKELY(condition) __builtin_expect(condition, 0)
#else
#define UNLIKELY(condition) (condition)
#endif

/* Where it was before, gcc would keep too, at the cost of a copy for each instruction. */
#if defined(__GNUC__)
#define FORGET(pointer) __asm__("" : "+r"(pointer))
#else
#define FORGET(pointer) (void)(pointer)
#endif

#define NEXT goto next

#define PUSH(word)  \
  do {              \
    *sp++ = top;    \
    top = (word);   \
  } while (0)
/** The value of two words on top. */
#define TOP64 ((uint64_t)top << 32 | sp[-1])
#define SECOND64 ((uint64_t)sp[-2] << 32 | sp[-3])
#define SET64(value)               \
  do {                             \
    const uint64_t given = value;  \
    sp[-1] = (uint32_t)given;      \
    top = (uint32_t)(given >> 32); \
  } while (0)

#define BINARY_32(name, expression) \
  case OP_##name: {                 \
    const uint32_t a = *--sp;       \
    const uint32_t b = top;         \
    top = (uint32_t)(expression);   \
    NEXT;                           \
  }
#define SIGNED_32(name, operator) BINARY_32(name, (int32_t)a operator(int32_t) b)
#define BINARY_64(name, expression) \
  case OP_##name: {                 \
    const uint64_t a = SECOND64;    \
    const uint64_t b = TOP64;       \
    sp -= 2;                        \
    SET64(expression);              \
    NEXT;                           \
  }
#define STOP(reason) \
  do {               \
    code = (reason); \
    goto stop;       \
  } while (0)

#endif
