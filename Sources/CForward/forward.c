#include "table.h"
#include <sys/mman.h>

void *cf_scratch(cf_pool *pool, size_t bytes) { return cf_pool_shared(pool, bytes); }

size_t cf_packed_size(size_t outputs, size_t inputs, size_t taps, cf_type type) {
  return round_up(outputs, CF_PANEL) * taps * round_up(inputs, 2) * size_of(type);
}

// Packed weights, and as they come: `[outputs, inputs, taps]`.
typedef struct cf_packing {
  const void *from;
  void *to;
  size_t outputs, inputs, taps;
  cf_type type;
  int is_back;
} cf_packing;

#define PACK(T)                                                                                    \
  static void pack_##T(const cf_packing *p, size_t first) {                                        \
    const size_t even = round_up(p->inputs, 2), count = least(CF_PANEL, p->outputs - first);       \
    const size_t start = first * p->taps * even, size = CF_PANEL * p->taps * even;                 \
    if (!p->is_back && (count < CF_PANEL || even > p->inputs))                                     \
      memset((T *)p->to + start, 0, size * sizeof(T));                                             \
    for (size_t i = 0; i < p->inputs; i++)                                                         \
      for (size_t t = 0; t < p->taps; t++)                                                         \
        for (size_t o = 0; o < count; o++) {                                                       \
          const size_t packed = start + (t * even + i) * CF_PANEL + o;                             \
          const size_t plain = ((first + o) * p->inputs + i) * p->taps + t;                        \
          if (p->is_back)                                                                          \
            ((T *)p->to)[plain] = ((const T *)p->from)[packed];                                    \
          else                                                                                     \
            ((T *)p->to)[packed] = ((const T *)p->from)[plain];                                    \
        }                                                                                          \
  }
PACK(uint16_t)
PACK(uint32_t)

static void pack_body(void *job, size_t index, int thread) {
  const cf_packing *p = job;
  (void)thread;
  if (p->type == CF_F32)
    pack_uint32_t(p, index * CF_PANEL);
  else
    pack_uint16_t(p, index * CF_PANEL);
}

void cf_pack(cf_pool *pool, const void *weights, size_t outputs, size_t inputs, size_t taps,
             cf_type type, void *packed) {
  cf_packing p = {weights, packed, outputs, inputs, taps, type, 0};
  const double operations = 16 * (double)(outputs * inputs * taps);
  cf_pool_run(pool, quotient_up(outputs, CF_PANEL), operations, pack_body, &p);
}

void cf_unpack(cf_pool *pool, const void *packed, size_t outputs, size_t inputs, size_t taps,
               cf_type type, void *weights) {
  cf_packing p = {packed, weights, outputs, inputs, taps, type, 1};
  const double operations = 16 * (double)(outputs * inputs * taps);
  cf_pool_run(pool, quotient_up(outputs, CF_PANEL), operations, pack_body, &p);
}

int cf_conv_direct(cf_pool *pool, const cf_conv *conv) {
  return cf_pool_loops(pool)->conv_direct(pool, conv);
}
int cf_conv_winograd(cf_pool *pool, const cf_conv *conv) {
  return cf_pool_loops(pool)->conv_winograd(pool, conv);
}
int cf_attend(cf_pool *pool, const cf_attention *attention) {
  return cf_pool_loops(pool)->attend(pool, attention);
}
int cf_normalize_groups(cf_pool *pool, const cf_group_norm *norm) {
  return cf_pool_loops(pool)->normalize_groups(pool, norm);
}
int cf_normalize_layers(cf_pool *pool, const cf_layer_norm *norm) {
  return cf_pool_loops(pool)->normalize_layers(pool, norm);
}
int cf_gate(cf_pool *pool, const void *x, void *y, cf_type type, size_t rows, size_t channels) {
  return cf_pool_loops(pool)->gate(pool, x, y, type, rows, channels);
}
int cf_activate(cf_pool *pool, const void *x, void *y, cf_type type, size_t count,
                cf_activation activation) {
  return cf_pool_loops(pool)->activate(pool, x, y, type, count, activation);
}
int cf_add(cf_pool *pool, const void *a, const void *b, void *y, cf_type type, size_t count) {
  return cf_pool_loops(pool)->add(pool, a, b, y, type, count);
}
int cf_convert(cf_pool *pool, const void *x, cf_type from, void *y, cf_type to, size_t count) {
  return cf_pool_loops(pool)->convert(pool, x, from, y, to, count);
}

double cf_ceiling(cf_path path, int bf16) { return cf_path_loops(path)->ceiling(bf16); }

// Moves of bytes, which are the same on every path.
typedef struct cf_move {
  const char *a, *b;
  char *y;
  size_t a_bytes, b_bytes, rows, channels;
  cf_type type;
} cf_move;

enum { MOVED_ROWS = 256 };

static void join_body(void *job, size_t index, int thread) {
  const cf_move *m = job;
  (void)thread;
  const size_t end = least(m->rows, (index + 1) * MOVED_ROWS);
  for (size_t i = index * MOVED_ROWS; i < end; i++) {
    char *y = m->y + i * (m->a_bytes + m->b_bytes);
    memcpy(y, m->a + i * m->a_bytes, m->a_bytes);
    memcpy(y + m->a_bytes, m->b + i * m->b_bytes, m->b_bytes);
  }
}

int cf_join(cf_pool *pool, const void *a, size_t a_bytes, const void *b, size_t b_bytes, void *y,
            size_t rows) {
  cf_move m = {a, b, y, a_bytes, b_bytes, rows, 0, CF_F32};
  const double operations = 8 * (double)(rows * (a_bytes + b_bytes));
  cf_pool_run(pool, quotient_up(rows, MOVED_ROWS), operations, join_body, &m);
  return 0;
}

static void last_body(void *job, size_t index, int thread) {
  const cf_move *m = job;
  (void)thread;
  const size_t blocks = quotient_up(m->rows, MOVED_ROWS), batch = index / blocks;
  const size_t first = index % blocks * MOVED_ROWS, end = least(m->rows, first + MOVED_ROWS);
  for (size_t c = 0; c < m->channels; c++) {
    const float *x = (const float *)m->a + (batch * m->channels + c) * m->rows;
    for (size_t i = first; i < end; i++)
      put(m->y, m->type, (batch * m->rows + i) * m->channels + c, x[i]);
  }
}

int cf_channels_last(cf_pool *pool, const float *x, void *y, cf_type type, size_t n,
                     size_t channels, size_t positions) {
  cf_move m = {(const char *)x, NULL, y, 0, 0, positions, channels, type};
  cf_pool_run(pool, n * quotient_up(positions, MOVED_ROWS), 16 * (double)(n * channels * positions),
              last_body, &m);
  return 0;
}

static void first_body(void *job, size_t index, int thread) {
  const cf_move *m = job;
  (void)thread;
  const size_t blocks = quotient_up(m->rows, MOVED_ROWS), batch = index / blocks;
  const size_t first = index % blocks * MOVED_ROWS, end = least(m->rows, first + MOVED_ROWS);
  for (size_t c = 0; c < m->channels; c++) {
    float *y = (float *)m->y + (batch * m->channels + c) * m->rows;
    for (size_t i = first; i < end; i++)
      y[i] = get(m->a, m->type, (batch * m->rows + i) * m->channels + c);
  }
}

int cf_channels_first(cf_pool *pool, const void *x, float *y, cf_type type, size_t n,
                      size_t channels, size_t positions) {
  cf_move m = {x, NULL, (char *)y, 0, 0, positions, channels, type};
  cf_pool_run(pool, n * quotient_up(positions, MOVED_ROWS), 16 * (double)(n * channels * positions),
              first_body, &m);
  return 0;
}

float cf_value(const void *values, cf_type type, size_t index) { return get(values, type, index); }

size_t cf_count_nonfinite(const void *x, cf_type type, size_t count) {
  size_t found = 0;
  if (type == CF_F32) {
    const uint32_t *bits = x;
    for (size_t i = 0; i < count; i++) found += (bits[i] & 0x7F800000) == 0x7F800000;
  } else {
    const uint16_t *bits = x;
    for (size_t i = 0; i < count; i++) found += (bits[i] & 0x7F80) == 0x7F80;
  }
  return found;
}

void *cf_allocate(size_t bytes) {
  // Large pages: touching a new one costs a fault, and a step of a model touches gigabytes.
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  if (bytes >= (size_t)4 << 20) madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}

void cf_free(void *memory, size_t bytes) { munmap(memory, bytes); }
