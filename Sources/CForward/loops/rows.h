// Functions of single values.

typedef struct NAME(values) {
  const void *x, *other;
  void *y;
  cf_type type, to;
  size_t rows, channels;
  cf_activation activation;
} NAME(values);

static void NAME(gate_body)(void *job, size_t index, int thread) {
  const NAME(values) *v = job;
  (void)thread;
  const size_t end = least(v->rows, (index + 1) * SOME_ROWS), n = v->channels;
  for (size_t row = index * SOME_ROWS; row < end; row++)
    for (size_t c = 0; c < n; c += LANES) {
      const size_t some = least(LANES, n - c), at = 2 * row * n + c;
      const f32x16 gate = NAME(gelu)(NAME(load_some)(v->x, v->type, at + n, some));
      NAME(store_some)(v->y, v->type, row * n + c, gate * NAME(load_some)(v->x, v->type, at, some),
                       some);
    }
}

static int NAME(gate)(cf_pool *pool, const void *x, void *y, cf_type type, size_t rows,
                      size_t channels) {
  NAME(values) v = {.x = x, .y = y, .type = type, .rows = rows, .channels = channels};
  const double operations = 64 * (double)(rows * channels);
  cf_pool_run(pool, quotient_up(rows, SOME_ROWS), operations, NAME(gate_body), &v);
  return 0;
}

// Values that one task takes.
#define SOME_VALUES 65536

static void NAME(values_body)(void *job, size_t index, int thread) {
  const NAME(values) *v = job;
  (void)thread;
  const size_t end = least(v->rows, (index + 1) * SOME_VALUES);
  for (size_t i = index * SOME_VALUES; i < end; i += LANES) {
    const size_t some = least(LANES, end - i);
    NAME(store_some)(v->y, v->to, i,
                     NAME(apply)(NAME(load_some)(v->x, v->type, i, some), v->activation), some);
  }
}

static int NAME(activate)(cf_pool *pool, const void *x, void *y, cf_type type, size_t count,
                          cf_activation activation) {
  NAME(values) v = {
      .x = x, .y = y, .type = type, .to = type, .rows = count, .activation = activation};
  cf_pool_run(pool, quotient_up(count, SOME_VALUES), 16 * (double)count, NAME(values_body), &v);
  return 0;
}

static void NAME(add_body)(void *job, size_t index, int thread) {
  const NAME(values) *v = job;
  (void)thread;
  const size_t end = least(v->rows, (index + 1) * SOME_VALUES);
  for (size_t i = index * SOME_VALUES; i < end; i += LANES) {
    const size_t some = least(LANES, end - i);
    NAME(store_some)(v->y, v->type, i,
                     NAME(load_some)(v->x, v->type, i, some) +
                         NAME(load_some)(v->other, v->type, i, some),
                     some);
  }
}

static int NAME(add)(cf_pool *pool, const void *a, const void *b, void *y, cf_type type,
                     size_t count) {
  NAME(values) v = {.x = a, .other = b, .y = y, .type = type, .rows = count};
  cf_pool_run(pool, quotient_up(count, SOME_VALUES), 16 * (double)count, NAME(add_body), &v);
  return 0;
}

static int NAME(convert)(cf_pool *pool, const void *x, cf_type from, void *y, cf_type to,
                         size_t count) {
  NAME(values) v = {.x = x, .y = y, .type = from, .to = to, .rows = count};
  cf_pool_run(pool, quotient_up(count, SOME_VALUES), 16 * (double)count, NAME(values_body), &v);
  return 0;
}

// Seconds that a fixed number of products takes is for the caller to measure; here they are made.
static double NAME(ceiling)(int bf16) {
  static float zeros[8192 + 64];
  const float *rows[24];
  float acc[24 * CF_PANEL] = {0};
  for (int i = 0; i < 24; i++) rows[i] = zeros;
  double operations = 0;
  for (int i = 0; i < 2000; i++) {
#ifdef CF_DOT
    if (bf16) {
      NAME(dot_products)((const uint16_t *const *)rows, 24, 128, (const uint16_t *)zeros, CF_PANEL,
                         2, acc, CF_PANEL, 0);
      operations += 2.0 * 24 * 256 * CF_PANEL;
      continue;
    }
#else
    (void)bf16;
#endif
    NAME(products)(rows, 24, 256, zeros, CF_PANEL, 2, acc, CF_PANEL, 0);
    operations += 2.0 * 24 * 256 * CF_PANEL;
  }
  return operations;
}

const cf_loops NAME(loops) = {
    NAME(conv_direct), NAME(conv_winograd), NAME(attend),  NAME(normalize_groups),
    NAME(normalize_layers), NAME(gate),     NAME(activate), NAME(add),     NAME(convert),
    NAME(ceiling),
};
