// What a forward pass computes, on several threads.
//
// Activations lie with their channels last: `[n, height, width, channels]`, or `[rows, channels]`.
// Every sum is made in an order that depends on the shapes alone, so the bits of a result do not
// depend on the number of threads; nor on the processor, except with BF16 products.
#ifndef CFORWARD_H
#define CFORWARD_H

#include <stddef.h>
#include <stdint.h>

/// How values are stored; activations are F32 or BF16, weights also F16.
typedef enum cf_type { CF_F32, CF_BF16, CF_F16 } cf_type;

/// The instruction set a loop is compiled for.
typedef enum cf_path { CF_PORTABLE, CF_AVX2, CF_AVX512, CF_AVX512_BF16 } cf_path;

/// The widest path that this processor runs; every lower one runs too.
cf_path cf_best_path(void);

/// What follows a sum of products.
typedef enum cf_activation { CF_NONE, CF_SILU, CF_GELU, CF_QUICK_GELU } cf_activation;

/// Threads that compute together, and their memory.
typedef struct cf_pool cf_pool;

/// Makes a pool of `threads` threads, the caller's among them; NULL when that fails.
cf_pool *cf_pool_create(int threads, cf_path path);
void cf_pool_destroy(cf_pool *pool);

/// Memory that stays until the next call of any function below that takes the pool, except
/// `cf_convert`; NULL when there is none.
void *cf_scratch(cf_pool *pool, size_t bytes);

// All functions below return 0, or -1 when there is no memory.

/// The number of output channels that lie together in packed weights.
#define CF_PANEL 32

/// The bytes that packed weights take.
size_t cf_packed_size(size_t outputs, size_t inputs, size_t taps, cf_type type);

/// Packs weights `[outputs, inputs, taps]` as `[panel][tap][input][32]`, with zeros where there is no
/// channel, so that the number of inputs is even. No conversion.
void cf_pack(cf_pool *pool, const void *weights, size_t outputs, size_t inputs, size_t taps,
             cf_type type, void *packed);
/// The reverse.
void cf_unpack(cf_pool *pool, const void *packed, size_t outputs, size_t inputs, size_t taps,
               cf_type type, void *weights);

/// Memory from the operating system; NULL when there is none.
void *cf_allocate(size_t bytes);
void cf_free(void *memory, size_t bytes);

/// A convolution, or a matrix product where `kernel` is 1 and `width` too.
typedef struct cf_conv {
  const void *x;
  void *y;
  /// Of `x`, `y` and `residual`.
  cf_type type;
  size_t n, height, width, inputs;
  size_t out_height, out_width, outputs;
  /// 1 or 3; rows and columns of zeros above and to the left: 0 or 1.
  int kernel, stride, pad;
  /// Whether each row and column of `x` is seen twice.
  int up;
  /// Packed.
  const void *weights;
  cf_type weight_type;
  /// `[outputs]` or NULL.
  const float *bias;
  /// Added last: as `y`, may be `y` itself, or NULL.
  const void *residual;
  cf_activation activation;
} cf_conv;

/// Sums products directly; with activations in single precision.
int cf_conv_direct(cf_pool *pool, const cf_conv *conv);

/// A 3×3 convolution of stride 1 and padding 1, by Winograd's F(4×4, 3×3); `inputs` is a multiple of
/// 16.
int cf_conv_winograd(cf_pool *pool, const cf_conv *conv);

/// `softmax(q kᵀ / √width) v` for each head, without ever holding all of `q kᵀ`.
typedef struct cf_attention {
  const void *q, *k, *v;
  void *y;
  cf_type type;
  /// Batches, and rows of `q` and of `k` in each.
  size_t n, queries, keys;
  size_t heads, width;
  /// Whether a row attends to itself and those before it only.
  int causal;
} cf_attention;

int cf_attend(cf_pool *pool, const cf_attention *attention);

/// A normalisation over groups of channels and all positions.
typedef struct cf_group_norm {
  const void *x;
  void *y;
  cf_type type;
  size_t n, positions, channels, groups;
  double epsilon;
  const float *weight, *bias;
  /// Added to each position of `x` first: `[n, channels]`, of `type`; or NULL.
  const void *addend;
  cf_activation activation;
} cf_group_norm;

int cf_normalize_groups(cf_pool *pool, const cf_group_norm *norm);

/// A normalisation over the channels of each row.
typedef struct cf_layer_norm {
  const void *x;
  void *y;
  cf_type type;
  size_t rows, channels;
  double epsilon;
  const float *weight, *bias;
} cf_layer_norm;

int cf_normalize_layers(cf_pool *pool, const cf_layer_norm *norm);

/// `y = x[0..<channels] * gelu(x[channels..<2 channels])` for each row.
int cf_gate(cf_pool *pool, const void *x, void *y, cf_type type, size_t rows, size_t channels);

/// `y = activation(x)`; `y` may be `x`.
int cf_activate(cf_pool *pool, const void *x, void *y, cf_type type, size_t count,
                cf_activation activation);

/// `y = a + b`.
int cf_add(cf_pool *pool, const void *a, const void *b, void *y, cf_type type, size_t count);

/// Joins rows: `y = [a, b]` along the channels.
int cf_join(cf_pool *pool, const void *a, size_t a_bytes, const void *b, size_t b_bytes, void *y,
            size_t rows);

/// From `[n, channels, positions]` F32 to channels last.
int cf_channels_last(cf_pool *pool, const float *x, void *y, cf_type type, size_t n,
                     size_t channels, size_t positions);
/// From channels last to `[n, channels, positions]` F32.
int cf_channels_first(cf_pool *pool, const void *x, float *y, cf_type type, size_t n,
                      size_t channels, size_t positions);

/// Converts `count` values between F32, F16 and BF16.
int cf_convert(cf_pool *pool, const void *x, cf_type from, void *y, cf_type to, size_t count);

/// One value in single precision.
float cf_value(const void *values, cf_type type, size_t index);

/// The number of values that are infinite or NaN.
size_t cf_count_nonfinite(const void *x, cf_type type, size_t count);

/// Multiplies and adds numbers in the first cache on one thread, some milliseconds long; returns the
/// number of operations.
double cf_ceiling(cf_path path, int bf16);

#endif
