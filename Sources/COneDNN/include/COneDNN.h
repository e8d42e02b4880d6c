// Convolutions and matrix products by oneDNN, which is found when the program runs.
//
// Its second and its third C interface are both served (libdnnl.so.2, libdnnl.so.3). Activations lie
// with their channels last; how weights lie is the library's choice.
#ifndef CONEDNN_H
#define CONEDNN_H

#include <stddef.h>
#include <stdint.h>

/// Opens the library, once. Returns 0, or -1 when there is none that can be used.
int od_load(void);

/// The library and its version, or why there is none.
const char *od_library(void);

typedef enum od_type { OD_F32, OD_BF16 } od_type;
typedef enum od_activation { OD_NONE, OD_SILU, OD_GELU, OD_QUICK_GELU } od_activation;

/// What the functions below return.
typedef enum od_status {
  OD_DONE = 0,
  OD_NO_MEMORY = -1,
  /// The library has no way to compute this on this processor, or failed.
  OD_UNABLE = -2
} od_status;

/// The threads that the library computes with, and the plans made so far. For one thread at a time,
/// best always the same: an OpenMP library keeps a team for each thread that calls it.
typedef struct od_context od_context;

/// NULL when there is no memory, or no library.
od_context *od_create(int threads);
void od_destroy(od_context *context);

/// A convolution; a matrix product where `kernel` and `width` are 1 and `height` counts the rows.
typedef struct od_conv {
  /// Of activations and weights; sums and biases are in single precision.
  od_type type;
  int64_t n, height, width, inputs, out_height, out_width, outputs;
  /// `pad` rows and columns of zeros stand above and to the left; below and to the right stand so many
  /// that the last window ends with them.
  int32_t kernel, stride, pad;
  int32_t has_bias;
  /// Whether something is added to the result, after the activation.
  int32_t adds;
  od_activation activation;
} od_conv;

/// The way in which one shape is computed.
typedef struct od_plan od_plan;

/// Finds a plan, or makes it, which the context keeps.
od_status od_find(od_context *context, const od_conv *conv, const od_plan **plan);

/// How the weights of a plan lie: equal numbers mean equal layouts; never 0.
int32_t od_layout(const od_plan *plan);
/// The bytes of weights in a layout.
size_t od_layout_size(const od_context *context, int32_t layout);

/// Arranges weights `[outputs, inputs, kernel, kernel]` for a plan.
od_status od_pack(od_context *context, const od_plan *plan, const void *weights, void *packed);
/// Arranges weights that lie in `layout` as `[outputs, inputs, kernel, kernel]` again.
od_status od_unpack(od_context *context, int32_t layout, const void *packed, void *weights);

/// Computes `activation(weights * x + bias) + residual`.
od_status od_run(od_context *context, const od_plan *plan, const void *x, const void *packed,
                 const float *bias, const void *residual, void *y);

#endif
