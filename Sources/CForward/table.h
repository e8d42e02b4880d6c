#ifndef CF_TABLE_H
#define CF_TABLE_H
#include "lanes.h"

// What each path offers; see CForward.h.
typedef struct cf_loops {
  int (*conv_direct)(cf_pool *, const cf_conv *);
  int (*conv_winograd)(cf_pool *, const cf_conv *);
  int (*attend)(cf_pool *, const cf_attention *);
  int (*normalize_groups)(cf_pool *, const cf_group_norm *);
  int (*normalize_layers)(cf_pool *, const cf_layer_norm *);
  int (*gate)(cf_pool *, const void *, void *, cf_type, size_t, size_t);
  int (*activate)(cf_pool *, const void *, void *, cf_type, size_t, cf_activation);
  int (*add)(cf_pool *, const void *, const void *, void *, cf_type, size_t);
  int (*convert)(cf_pool *, const void *, cf_type, void *, cf_type, size_t);
  double (*ceiling)(int bf16);
} cf_loops;

#endif
