// Convolutions and matrix products, summed directly.
//
// Weights that are stored in 16 bits are widened a piece at a time: a piece stays in the first cache
// while it is used for some 200 outputs.

typedef struct NAME(direct) {
  cf_pool *pool;
  const cf_conv *conv;
  size_t rows, panels;
  // Zeros, for what lies outside of the image.
  const void *zeros;
} NAME(direct);

// Inputs summed at once: 32 KB of weights stay in the first cache.
#define INPUTS 256

// Adds bias and residual to sums, and stores them as outputs of row `row` from channel `first`.
INLINE void NAME(finish)(const cf_conv *c, size_t row, size_t first, const float *acc) {
  const size_t count = least(CF_PANEL, c->outputs - first);
  for (size_t j = 0; j < count; j += LANES) {
    const size_t some = least(LANES, count - j), at = row * c->outputs + first + j;
    f32x16 v;
    memcpy(&v, acc + j, 64);
    if (c->bias) v += NAME(load_some)(c->bias, CF_F32, first + j, some);
    v = NAME(apply)(v, c->activation);
    if (c->residual) v += NAME(load_some)(c->residual, c->type, at, some);
    NAME(store_some)(c->y, c->type, at, v, some);
  }
}

// The pixel of `x` behind output `row` and `tap`, or NULL outside.
INLINE const void *NAME(pixel)(const cf_conv *c, size_t row, int tap) {
  const size_t size = c->inputs * size_of(c->type);
  if (c->kernel == 1) return (const char *)c->x + row * size;
  const size_t area = c->out_height * c->out_width;
  const size_t image = row / area, rest = row % area;
  const ptrdiff_t y = (ptrdiff_t)(rest / c->out_width) * c->stride + tap / 3 - c->pad;
  const ptrdiff_t x = (ptrdiff_t)(rest % c->out_width) * c->stride + tap % 3 - c->pad;
  // An image that is seen twice as large may lack its last row or column.
  const size_t height = c->up ? c->out_height : c->height, width = c->up ? c->out_width : c->width;
  if (y < 0 || x < 0 || (size_t)y >= height || (size_t)x >= width) return NULL;
  const size_t pixel = (image * c->height + ((size_t)y >> c->up)) * c->width + ((size_t)x >> c->up);
  return (const char *)c->x + pixel * size;
}

static void NAME(direct_body)(void *job, size_t index, int thread) {
  const NAME(direct) *d = job;
  const cf_conv *c = d->conv;
  const size_t first = index / d->panels * ROWS, panel = index % d->panels;
  const size_t count = least(ROWS, d->rows - first), padded = round_up(count, 24);
  const int taps = c->kernel * c->kernel;
  // Packed weights have an even number of inputs.
  const size_t inputs = round_up(c->inputs, 2);
  // Own memory: sums, pointers, weights in single precision.
  float *acc = cf_pool_own(d->pool, thread);
  const void **rows = (const void **)(acc + ROWS * CF_PANEL);
  const void **at = rows + ROWS;
  float *wide = (float *)(at + ROWS);
  memset(acc, 0, padded * CF_PANEL * sizeof *acc);
  for (int tap = 0; tap < taps; tap++) {
    int any = 0;
    for (size_t i = 0; i < padded; i++) {
      rows[i] = i < count ? NAME(pixel)(c, first + i, tap) : NULL;
      any |= rows[i] != NULL;
    }
    if (!any) continue;
    const size_t start = (panel * (size_t)taps + (size_t)tap) * inputs * CF_PANEL;
    const char *weights = (const char *)c->weights + start * size_of(c->weight_type);
    for (size_t k = 0; k < c->inputs; k += INPUTS) {
      const size_t some = least(INPUTS, c->inputs - k);
      for (size_t i = 0; i < padded; i++)
        at[i] = rows[i] ? (const float *)rows[i] + k : d->zeros;
      const char *part = weights + k * CF_PANEL * size_of(c->weight_type);
      const float *b = (const float *)part;
      if (c->weight_type != CF_F32) {
        for (size_t j = 0; j < some * CF_PANEL; j += LANES)
          NAME(store)(wide, CF_F32, j, NAME(load)(part, c->weight_type, j));
        b = wide;
      }
      NAME(products)((const float *const *)at, count, some, b, CF_PANEL, CF_PANEL / LANES, acc,
                     CF_PANEL, 0);
    }
  }
  for (size_t i = 0; i < count; i++)
    NAME(finish)(c, first + i, panel * CF_PANEL, acc + i * CF_PANEL);
}

static int NAME(conv_direct)(cf_pool *pool, const cf_conv *conv) {
  const size_t own = ROWS * CF_PANEL * sizeof(float) + 2 * ROWS * sizeof(void *) +
                     INPUTS * CF_PANEL * sizeof(float);
  const size_t zeros = INPUTS * sizeof(float);
  void *shared = cf_pool_shared(pool, zeros);
  if (!shared || cf_pool_reserve(pool, own)) return -1;
  memset(shared, 0, zeros);
  NAME(direct) d = {.pool = pool, .conv = conv, .zeros = shared};
  d.rows = conv->n * conv->out_height * conv->out_width;
  d.panels = quotient_up(conv->outputs, CF_PANEL);
  const double taps = conv->kernel * conv->kernel;
  const double operations = 2 * (double)(d.rows * conv->inputs * conv->outputs) * taps;
  cf_pool_run(pool, quotient_up(d.rows, ROWS) * d.panels, operations, NAME(direct_body), &d);
  return 0;
}
