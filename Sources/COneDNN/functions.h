// The functions and numbers of oneDNN that are used. Declared here, since the headers of the second
// and the third interface are never on one machine, and neither is needed to build.
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "COneDNN.h"

// A status: 0 is success.
enum { DNNL_SUCCESS = 0, DNNL_OUT_OF_MEMORY = 1 };
// The same in both interfaces.
enum {
  DNNL_BF16 = 2,
  DNNL_F32 = 3,
  DNNL_TAG_ANY = 1,
  DNNL_FORWARD_INFERENCE = 96,
  DNNL_CONVOLUTION_DIRECT = 1,
  DNNL_BINARY_ADD = 0x1fff0,
  DNNL_QUERY_WEIGHTS_MD = 131,
  DNNL_CPU = 1,
  DNNL_STREAM_DEFAULT = 1,
  DNNL_ARG_FROM = 1,
  DNNL_ARG_SRC = 1,
  DNNL_ARG_SRC_1 = 2,
  DNNL_ARG_DST = 17,
  DNNL_ARG_WEIGHTS = 33,
  DNNL_ARG_BIAS = 41,
};
enum { DNNL_MAX_DIMS = 12 };
typedef int64_t dnnl_dims[DNNL_MAX_DIMS];

// What differs between the interfaces.
typedef struct od_numbers {
  int swish, gelu_erf;
  int post_op_base;
} od_numbers;
static const od_numbers od_second = {0xdf, 0x30, 16384};
static const od_numbers od_third = {0x2c, 0x31, 32768};

typedef struct dnnl_argument {
  int kind;
  void *memory;
} dnnl_argument;

typedef struct dnnl_version {
  int major, minor, patch;
} dnnl_version;

// Descriptors of memory are structures in the second interface and handles in the third; functions
// take a pointer to either.
typedef const void *dnnl_layout;

// Functions of both interfaces.
#define OD_COMMON(F)                                                                               \
  F(int, engine_create, (void **, int kind, size_t index))                                         \
  F(int, engine_destroy, (void *))                                                                 \
  F(int, stream_create, (void **, void *engine, unsigned flags))                                   \
  F(int, stream_destroy, (void *))                                                                 \
  F(int, stream_wait, (void *))                                                                    \
  F(int, primitive_attr_create, (void **))                                                         \
  F(int, primitive_attr_destroy, (void *))                                                         \
  F(int, primitive_attr_set_post_ops, (void *attr, void *post_ops))                                \
  F(int, post_ops_create, (void **))                                                               \
  F(int, post_ops_destroy, (void *))                                                               \
  F(int, post_ops_append_binary, (void *, int algorithm, dnnl_layout))                             \
  F(int, primitive_create, (void **, void *description))                                           \
  F(int, primitive_destroy, (void *))                                                              \
  F(int, primitive_desc_destroy, (void *))                                                         \
  F(dnnl_layout, primitive_desc_query_md, (void *, int what, int index))                           \
  F(int, primitive_execute, (void *, void *stream, int count, const dnnl_argument *))              \
  F(int, reorder_primitive_desc_create,                                                            \
    (void **, dnnl_layout, void *engine, dnnl_layout, void *engine2, void *attr))                  \
  F(int, memory_create, (void **, dnnl_layout, void *engine, void *values))                        \
  F(int, memory_destroy, (void *))                                                                 \
  F(size_t, memory_desc_get_size, (dnnl_layout))                                                   \
  F(int, memory_desc_equal, (dnnl_layout, dnnl_layout))

#define OD_SECOND(F)                                                                               \
  F(int, memory_desc_init_by_strides, (void *, int, const int64_t *, int type, const int64_t *))   \
  F(int, memory_desc_init_by_tag, (void *, int, const int64_t *, int type, int tag))               \
  F(int, post_ops_append_eltwise, (void *, float scale, int algorithm, float, float))              \
  F(int, dilated_convolution_forward_desc_init,                                                    \
    (void *, int kind, int algorithm, dnnl_layout, dnnl_layout, dnnl_layout, dnnl_layout,          \
     const int64_t *, const int64_t *, const int64_t *, const int64_t *))                          \
  F(int, primitive_desc_create, (void **, void *operation, void *attr, void *engine, void *hint))

#define OD_THIRD(F)                                                                                \
  F(int, memory_desc_create_with_strides,                                                          \
    (void **, int, const int64_t *, int type, const int64_t *))                                    \
  F(int, memory_desc_create_with_tag, (void **, int, const int64_t *, int type, int tag))          \
  F(int, memory_desc_destroy, (void *))                                                            \
  F(int, post_ops_append_eltwise, (void *, int algorithm, float, float))                           \
  F(int, convolution_forward_primitive_desc_create,                                                \
    (void **, void *engine, int kind, int algorithm, dnnl_layout, dnnl_layout, dnnl_layout,        \
     dnnl_layout, const int64_t *, const int64_t *, const int64_t *, const int64_t *, void *attr))

#define OD_POINTER(result, name, arguments) result(*name) arguments;
typedef struct od_functions {
  OD_COMMON(OD_POINTER)
} od_functions;
typedef struct od_second_functions {
  OD_SECOND(OD_POINTER)
} od_second_functions;
typedef struct od_third_functions {
  OD_THIRD(OD_POINTER)
} od_third_functions;
#undef OD_POINTER

// Found by `od_load`. Of the last two only one is.
extern od_functions od_f;
extern od_second_functions od_f2;
extern od_third_functions od_f3;
// 2 or 3.
extern int od_major;
// From the OpenMP library that oneDNN uses, if it does.
extern void (*od_set_threads)(int);

#endif
