/*
 * The 128-bit vectors of WebAssembly, as far as the trajectory codec uses them, in the vector types that gcc and clang
 * have for any chip.
 *
 * The build puts this in the place of the section of wasm2c's C that asks for the library SIMDe: names are the ones that
 * the rest of that C calls, and memory is reached by its macros, which check every address. An operation that is missing
 * here stops the compiler.
 */
#ifndef WASM_SIMD_H
#define WASM_SIMD_H

/**
 * Before each of the module's functions: it is compiled for any x86-64 and for chips with AVX2, and one of the two is
 * chosen where the plugin is loaded. No result depends on which. Elsewhere there is one of each.
 */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_CHIP __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_CHIP
#endif

typedef s32 v128 __attribute__((vector_size(16)));
typedef u8 u8x16 __attribute__((vector_size(16)));
typedef s16 s16x8 __attribute__((vector_size(16)));
typedef u16 u16x8 __attribute__((vector_size(16)));
typedef u32 u32x4 __attribute__((vector_size(16)));
typedef s64 s64x2 __attribute__((vector_size(16)));
typedef u64 u64x2 __attribute__((vector_size(16)));
typedef f32 f32x4 __attribute__((vector_size(16)));
typedef f64 f64x2 __attribute__((vector_size(16)));

#define simde_wasm_i64x2_make(a, b) ((v128)(s64x2){(s64)(a), (s64)(b)})
#define v128_const(...) ((v128)(u8x16){__VA_ARGS__})

#ifdef __clang__
#define v128_i8x16_shuffle(a, b, ...) ((v128)__builtin_shufflevector((u8x16)(a), (u8x16)(b), __VA_ARGS__))
#else
#define v128_i8x16_shuffle(a, b, ...) ((v128)__builtin_shuffle((u8x16)(a), (u8x16)(b), (u8x16){__VA_ARGS__}))
#endif

static inline v128 simde_wasm_i8x16_splat(u8 x) {
  return v128_const(x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x);
}

static inline v128 simde_wasm_i32x4_splat(u32 x) {
  return (v128)(u32x4){x, x, x, x};
}

static inline v128 simde_wasm_f64x2_splat(f64 x) {
  return (v128)(f64x2){x, x};
}

static inline v128 v128_load_default32(wasm_rt_memory_t *mem, u64 addr) {
  v128 value;
  MEMCHECK_DEFAULT32(mem, addr, v128);
  memcpy(&value, MEM_ADDR(mem, addr, sizeof value), sizeof value);
  return value;
}

static inline void v128_store_default32(wasm_rt_memory_t *mem, u64 addr, v128 value) {
  MEMCHECK_DEFAULT32(mem, addr, v128);
  memcpy(MEM_ADDR(mem, addr, sizeof value), &value, sizeof value);
}

static inline v128 v128_load64_zero(wasm_rt_memory_t *mem, u64 addr) {
  return simde_wasm_i64x2_make(i64_load_default32(mem, addr), 0);
}

static inline v128 v128_load32_splat(wasm_rt_memory_t *mem, u64 addr) {
  return simde_wasm_i32x4_splat(i32_load_default32(mem, addr));
}

static inline v128 v128_load64_splat(wasm_rt_memory_t *mem, u64 addr) {
  const u64 x = i64_load_default32(mem, addr);
  return simde_wasm_i64x2_make(x, x);
}

static inline v128 v128_load8_splat(wasm_rt_memory_t *mem, u64 addr) {
  return simde_wasm_i8x16_splat((u8)i32_load8_u_default32(mem, addr));
}

#define simde_wasm_v128_and(a, b) ((a) & (b))
#define simde_wasm_v128_or(a, b) ((a) | (b))
#define simde_wasm_v128_xor(a, b) ((a) ^ (b))
#define simde_wasm_v128_andnot(a, b) ((a) & ~(b))
#define simde_wasm_v128_not(a) (~(a))

static inline u32 simde_wasm_v128_any_true(v128 a) {
  return (((s64x2)a)[0] | ((s64x2)a)[1]) != 0;
}

/* Without a sign: sums and products wrap. */
#define simde_wasm_i8x16_add(a, b) ((v128)((u8x16)(a) + (u8x16)(b)))
#define simde_wasm_i8x16_neg(a) ((v128)(-(u8x16)(a)))
#define simde_wasm_i8x16_sub(a, b) ((v128)((u8x16)(a) - (u8x16)(b)))
#define simde_wasm_u16x8_shr(a, bits) ((v128)((u16x8)(a) >> ((bits) & 15)))
#define simde_wasm_i16x8_shl(a, bits) ((v128)((u16x8)(a) << ((bits) & 15)))
#define simde_wasm_i32x4_add(a, b) ((v128)((u32x4)(a) + (u32x4)(b)))
#define simde_wasm_i32x4_sub(a, b) ((v128)((u32x4)(a) - (u32x4)(b)))
#define simde_wasm_i32x4_mul(a, b) ((v128)((u32x4)(a) * (u32x4)(b)))
#define simde_wasm_i32x4_neg(a) ((v128)(-(u32x4)(a)))
#define simde_wasm_i32x4_shl(a, bits) ((v128)((u32x4)(a) << ((bits) & 31)))
#define simde_wasm_u32x4_shr(a, bits) ((v128)((u32x4)(a) >> ((bits) & 31)))
#define simde_wasm_i32x4_shr(a, bits) ((v128)((a) >> (s32)((bits) & 31)))
#define simde_wasm_i64x2_add(a, b) ((v128)((u64x2)(a) + (u64x2)(b)))
#define simde_wasm_i64x2_sub(a, b) ((v128)((u64x2)(a) - (u64x2)(b)))
#define simde_wasm_i64x2_eq(a, b) ((v128)((u64x2)(a) == (u64x2)(b)))
#define v128_i64x2_extract_lane(a, lane) ((u64)((s64x2)(a))[lane])
#define simde_wasm_u8x16_gt(a, b) ((v128)((u8x16)(a) > (u8x16)(b)))
#define simde_wasm_i32x4_lt(a, b) ((v128)((a) < (b)))

static inline v128 simde_wasm_i32x4_abs(v128 a) {
  const v128 sign = a >> 31;
  return simde_wasm_i32x4_sub(a ^ sign, sign);
}

static inline v128 simde_wasm_u8x16_add_sat(v128 a, v128 b) {
  const u8x16 sum = (u8x16)a + (u8x16)b;
  return (v128)(sum | (u8x16)(sum < (u8x16)a));
}

/** Bits of `yes` where the mask has ones. */
static inline v128 pick(v128 mask, v128 yes, v128 no) {
  return (yes & mask) | (no & ~mask);
}

#define simde_wasm_v128_bitselect(yes, no, mask) pick((mask), (yes), (no))

static inline v128 saturated_to_s16(v128 a) {
  const v128 least = simde_wasm_i32x4_splat((u32)INT16_MIN), most = simde_wasm_i32x4_splat(INT16_MAX);
  a = pick((v128)(a < least), least, a);
  return pick((v128)(a > most), most, a);
}

static inline v128 saturated_to_u16(v128 a) {
  const v128 most = simde_wasm_i32x4_splat(UINT16_MAX), above = a & ~(a >> 31);
  return pick((v128)(above > most), most, above);
}

static inline v128 saturated_to_u8(v128 a) {
  const s16x8 most = {255, 255, 255, 255, 255, 255, 255, 255};
  const s16x8 above = (s16x8)a & ~((s16x8)a >> 15);
  return pick((v128)(above > most), (v128)most, (v128)above);
}

/** The lower halves of eight lanes. */
static inline v128 lower_halves(v128 a, v128 b) {
  return v128_i8x16_shuffle(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29);
}

static inline v128 v128_i16x8_narrow_i32x4(v128 a, v128 b) {
  return lower_halves(saturated_to_s16(a), saturated_to_s16(b));
}

static inline v128 v128_u16x8_narrow_i32x4(v128 a, v128 b) {
  return lower_halves(saturated_to_u16(a), saturated_to_u16(b));
}

static inline v128 v128_u16x8_extend_low_u8x16(v128 a) {
  const v128 zero = {0};
  return v128_i8x16_shuffle(a, zero, 0, 16, 1, 16, 2, 16, 3, 16, 4, 16, 5, 16, 6, 16, 7, 16);
}

static inline v128 v128_u16x8_extend_high_u8x16(v128 a) {
  const v128 zero = {0};
  return v128_i8x16_shuffle(a, zero, 8, 16, 9, 16, 10, 16, 11, 16, 12, 16, 13, 16, 14, 16, 15, 16);
}

static inline v128 v128_u8x16_narrow_i16x8(v128 a, v128 b) {
  a = saturated_to_u8(a);
  b = saturated_to_u8(b);
  return v128_i8x16_shuffle(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}

static inline u32 simde_wasm_i64x2_all_true(v128 a) {
  return ((s64x2)a)[0] != 0 && ((s64x2)a)[1] != 0;
}

#define simde_wasm_f32x4_add(a, b) ((v128)((f32x4)(a) + (f32x4)(b)))

static inline v128 simde_wasm_f32x4_convert_i32x4(v128 a) {
  return (v128)(f32x4){(f32)a[0], (f32)a[1], (f32)a[2], (f32)a[3]};
}

#define simde_wasm_f64x2_add(a, b) ((v128)((f64x2)(a) + (f64x2)(b)))
#define simde_wasm_f64x2_sub(a, b) ((v128)((f64x2)(a) - (f64x2)(b)))
#define simde_wasm_f64x2_mul(a, b) ((v128)((f64x2)(a) * (f64x2)(b)))
#define simde_wasm_f64x2_le(a, b) ((v128)((f64x2)(a) <= (f64x2)(b)))
#define simde_wasm_f64x2_abs(a) ((a) & simde_wasm_i64x2_make(INT64_MAX, INT64_MAX))

#define simde_wasm_f64x2_pmax(a, b) pick((v128)((f64x2)(a) < (f64x2)(b)), (b), (a))
#define v128_f64x2_extract_lane(a, lane) (((f64x2)(a))[lane])

static inline v128 v128_f64x2_promote_low_f32x4(v128 a) {
  f32 low[2];
  memcpy(low, &a, sizeof low);
  return (v128)(f64x2){low[0], low[1]};
}

static inline v128 v128_f64x2_convert_low_i32x4(v128 a) {
  return (v128)(f64x2){a[0], a[1]};
}

static inline v128 v128_f32x4_demote_f64x2_zero(v128 a) {
  return (v128)(f32x4){(f32)((f64x2)a)[0], (f32)((f64x2)a)[1], 0, 0};
}

#endif
