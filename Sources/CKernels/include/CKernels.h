// Loops over many values that Swift cannot do well at baseline x86-64.
//
// Every function gives the same bits on every path. Pointers need no alignment; source and
// destination must not overlap.
#ifndef CKERNELS_H
#define CKERNELS_H

#include "Files.h"
#include <stddef.h>
#include <stdint.h>

/// How the values are stored: little-endian, one after another.
typedef enum ck_type {
  CK_BOOL,
  CK_U8,
  CK_I8,
  CK_U16,
  CK_I16,
  CK_U32,
  CK_I32,
  CK_U64,
  CK_I64,
  CK_F8_E5M2,
  CK_F8_E4M3,
  CK_F8_E8M0,
  CK_F8_E5M2FNUZ,
  CK_F8_E4M3FNUZ,
  CK_F16,
  CK_BF16,
  CK_F32,
  CK_F64,
} ck_type;

/// The instruction set a loop is compiled for.
typedef enum ck_path { CK_PORTABLE, CK_AVX2, CK_AVX512 } ck_path;

/// The widest path that this processor runs; every lower one runs too.
ck_path ck_best_path(void);

/// What one pass over values finds.
///
/// `large` counts finite values beyond ±60,000, near the end of F16's range. `minimum` and
/// `maximum` are those of the finite values (+inf and -inf if there are none), and the sums too.
typedef struct ck_statistics {
  uint64_t count, nans, positive_infinities, negative_infinities, zeros, large;
  double minimum, maximum, sum, sum_of_squares;
} ck_statistics;

/// Examines `count` values; the sums are worth nothing unless `moments` is not 0.
ck_statistics ck_examine(ck_path path, ck_type type, const void *values, size_t count,
                         int moments);

/// Converts `count` values to F16, BF16, F32 or F64, rounding to nearest, ties to even.
///
/// A NaN stays a NaN: its sign and the upper bits of its payload are kept, and it becomes quiet.
/// Returns how many finite values became infinite.
uint64_t ck_convert(ck_path path, ck_type from, ck_type to, const void *source, void *destination,
                    size_t count);

/// A linear merge: `fma(t, b - a, a)` for |t| < ½ and `fma(t - 1, b - a, b)` otherwise, or
/// `fma(t, b - c, a)`.
typedef enum ck_merge_kind { CK_LERP, CK_ADD_DIFFERENCE } ck_merge_kind;

/// Merges `count` values and rounds once to `to`, which is F16, BF16 or F32.
///
/// `sources` and `types` are two for `CK_LERP` and three for `CK_ADD_DIFFERENCE`: F16, BF16, F32 or
/// an 8-bit floating-point type. The arithmetic is single precision where no source and not the
/// result has more than 16 bits, or where `singles` is not 0; else double precision.
/// Returns how many results are infinite or NaN.
uint64_t ck_merge(ck_path path, ck_merge_kind kind, const ck_type types[], ck_type to,
                  const void *const sources[], void *destination, size_t count, double t,
                  int singles);

/// What comparing two lists of values finds, pair by pair.
///
/// Sums, distances and sign changes are of pairs of which both are finite. Zeros of both signs are
/// equal, and so are two NaN. The distance in units in the last place is counted in the narrower
/// type, after rounding; it is missing if a type is neither F16, BF16, F32 nor F64.
typedef struct ck_comparison {
  uint64_t count, changed, sign_flips, finite, nans_a, nans_b, infinities_a, infinities_b;
  double maximum, squares_a, squares_b, squares_of_difference;
  uint64_t ulp_count, ulp_maximum;
  double ulp_sum;
} ck_comparison;

/// Compares `count` values of one type with as many of another.
ck_comparison ck_compare(ck_path path, ck_type type_a, ck_type type_b, const void *a,
                         const void *b, size_t count);

/// The sum of the squares of values, NaN if one of them is not finite; with `spacing` not 0, of the
/// greatest powers of two that are not above the magnitudes of the finite ones, or the smallest
/// normal one (2^-511 in F64).
double ck_squares(ck_path path, ck_type type, const void *values, size_t count, int spacing);

/// Counts values by the upper 12 bits of the F16 that each rounds to.
///
/// Adds to `counts`, four tables of 4096: neighbours often fall into one bin, and counters in turn
/// do not wait for each other. Which table counts a value is not specified.
void ck_histogram(ck_path path, ck_type type, const void *values, size_t count, uint32_t *counts);

/// Fills `values` with nearly normal random numbers in F16, BF16, F32 or F64.
///
/// Value i follows from `key` and `first + i` modulo 2^32 alone, so that any part can be made by
/// itself. No value is further from `mean` than 3.47 deviations.
void ck_normal(ck_path path, uint64_t key, uint32_t first, float mean, float deviation,
               ck_type type, void *values, size_t count);

/// The columns of a matrix that lie together in the form that `ck_add_product` takes.
#define CK_PANEL 64

/// Adds the product of `a` (`rows` by `rank`, row after row) and a matrix of `rank` rows to `out`,
/// whose rows begin `stride` values apart.
///
/// `panels` holds that matrix in panels of 64 columns, the last filled up: of the first panel all
/// rows, then of the next. Each sum is a chain of `fma` from 0 in the order of the ranks, added to
/// `out` after every 128 of them.
void ck_add_product(ck_path path, const float *a, const float *panels, float *out, size_t rows,
                    size_t rank, size_t columns, size_t stride);

/// What a change does to values: sums of squares of values and changes, the sum of the changes'
/// magnitudes, that of those whose value is another afterwards, and how many they are.
typedef struct ck_effect {
  double base_squares, change_squares, change_sum, kept_sum;
  uint64_t moved;
} ck_effect;

/// Adds `count` values before and after a change to `effect`; `count` is below 2^31.
void ck_examine_effect(ck_path path, const float *base, const float *change, const float *result,
                       size_t count, ck_effect *effect);

#endif
