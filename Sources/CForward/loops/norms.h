// Normalisations.

// Positions whose moments are summed in one go.
#define POSITIONS 256

typedef struct NAME(groups) {
  const cf_group_norm *norm;
  size_t chunks;
  // For each batch and chunk the mean and the sum of squared differences of each channel; for each
  // batch the factor and what is added for each channel.
  float *moments, *factors;
} NAME(groups);

static void NAME(moments_body)(void *job, size_t index, int thread) {
  const NAME(groups) *g = job;
  const cf_group_norm *m = g->norm;
  (void)thread;
  const size_t batch = index / g->chunks, first = index % g->chunks * POSITIONS;
  const size_t count = least(POSITIONS, m->positions - first), channels = m->channels;
  float *mean = g->moments + index * 2 * channels, *squares = mean + channels;
  const size_t start = (batch * m->positions + first) * channels;
  // A few vectors of channels at a time, so that rows are read whole lines at a time.
  enum { WIDE = 4 };
  for (size_t c = 0; c < channels; c += WIDE * LANES) {
    f32x16 sum[WIDE] = {{0}}, square[WIDE] = {{0}};
    size_t some[WIDE];
    for (int j = 0; j < WIDE; j++) {
      const size_t at = c + (size_t)j * LANES;
      some[j] = at < channels ? least(LANES, channels - at) : 0;
    }
    for (size_t i = 0; i < count; i++)
      for (int j = 0; j < WIDE; j++)
        if (some[j])
          sum[j] += NAME(load_some)(m->x, m->type, start + i * channels + c + j * LANES, some[j]);
    for (int j = 0; j < WIDE; j++) sum[j] *= 1.0f / (float)count;
    for (size_t i = 0; i < count; i++)
      for (int j = 0; j < WIDE; j++)
        if (some[j]) {
          const f32x16 d =
              NAME(load_some)(m->x, m->type, start + i * channels + c + j * LANES, some[j]) -
              sum[j];
          square[j] = FMA(d, d, square[j]);
        }
    for (int j = 0; j < WIDE; j++)
      if (some[j]) {
        NAME(store_some)(mean, CF_F32, c + j * LANES, sum[j], some[j]);
        NAME(store_some)(squares, CF_F32, c + j * LANES, square[j], some[j]);
      }
  }
}

static void NAME(factors_body)(void *job, size_t index, int thread) {
  const NAME(groups) *g = job;
  const cf_group_norm *m = g->norm;
  (void)thread;
  const size_t batch = index / m->groups, width = m->channels / m->groups;
  const size_t first = index % m->groups * width;
  const float *moments = g->moments + batch * g->chunks * 2 * m->channels;
  double sum = 0, squares = 0;
  for (size_t c = first; c < first + width; c++) {
    const double addend = m->addend ? get(m->addend, m->type, batch * m->channels + c) : 0;
    for (size_t i = 0; i < g->chunks; i++) {
      const size_t count = least(POSITIONS, m->positions - i * POSITIONS);
      sum += (double)count * (moments[2 * i * m->channels + c] + addend);
    }
  }
  const double total = (double)width * (double)m->positions, mean = sum / total;
  for (size_t c = first; c < first + width; c++) {
    const double addend = m->addend ? get(m->addend, m->type, batch * m->channels + c) : 0;
    for (size_t i = 0; i < g->chunks; i++) {
      const size_t count = least(POSITIONS, m->positions - i * POSITIONS);
      const double d = moments[2 * i * m->channels + c] + addend - mean;
      squares += moments[(2 * i + 1) * m->channels + c] + (double)count * d * d;
    }
  }
  const double inverse = 1 / sqrt(squares / total + m->epsilon);
  float *factor = g->factors + batch * 2 * m->channels, *shift = factor + m->channels;
  for (size_t c = first; c < first + width; c++) {
    const double addend = m->addend ? get(m->addend, m->type, batch * m->channels + c) : 0;
    const double scale = inverse * m->weight[c];
    factor[c] = (float)scale;
    shift[c] = (float)(m->bias[c] + (addend - mean) * scale);
  }
}

static void NAME(groups_body)(void *job, size_t index, int thread) {
  const NAME(groups) *g = job;
  const cf_group_norm *m = g->norm;
  (void)thread;
  const size_t batch = index / g->chunks, first = index % g->chunks * POSITIONS;
  const size_t count = least(POSITIONS, m->positions - first), channels = m->channels;
  const float *factor = g->factors + batch * 2 * channels, *shift = factor + channels;
  for (size_t i = 0; i < count; i++) {
    const size_t row = (batch * m->positions + first + i) * channels;
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t some = least(LANES, channels - c);
      f32x16 v = NAME(load_some)(m->x, m->type, row + c, some);
      v = FMA(v, NAME(load_some)(factor, CF_F32, c, some),
              NAME(load_some)(shift, CF_F32, c, some));
      NAME(store_some)(m->y, m->type, row + c, NAME(apply)(v, m->activation), some);
    }
  }
}

static int NAME(normalize_groups)(cf_pool *pool, const cf_group_norm *norm) {
  NAME(groups) g = {.norm = norm, .chunks = quotient_up(norm->positions, POSITIONS)};
  const size_t moments = norm->n * g.chunks * 2 * norm->channels;
  g.moments = cf_pool_shared(pool, (moments + norm->n * 2 * norm->channels) * sizeof(float));
  if (!g.moments) return -1;
  g.factors = g.moments + moments;
  const double rows = (double)(norm->n * g.chunks * norm->channels);
  const double values = (double)(norm->n * norm->positions * norm->channels);
  cf_pool_run(pool, norm->n * g.chunks, 16 * values, NAME(moments_body), &g);
  cf_pool_run(pool, norm->n * norm->groups, 16 * rows, NAME(factors_body), &g);
  cf_pool_run(pool, norm->n * g.chunks, 16 * values, NAME(groups_body), &g);
  return 0;
}

// Rows that one task takes.
#define SOME_ROWS 64

static void NAME(layers_body)(void *job, size_t index, int thread) {
  const cf_layer_norm *m = job;
  (void)thread;
  const size_t end = least(m->rows, (index + 1) * SOME_ROWS), channels = m->channels;
  for (size_t row = index * SOME_ROWS; row < end; row++) {
    const size_t at = row * channels;
    f32x16 sum = {0}, squares = {0};
    for (size_t c = 0; c < channels; c += LANES)
      sum += NAME(load_some)(m->x, m->type, at + c, least(LANES, channels - c));
    const float mean = NAME(total)(sum) / (float)channels;
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t some = least(LANES, channels - c);
      f32x16 d = NAME(load_some)(m->x, m->type, at + c, some) - mean;
      for (size_t j = some; j < LANES; j++) d[j] = 0;
      squares = FMA(d, d, squares);
    }
    const float variance = NAME(total)(squares) / (float)channels;
    const float inverse = 1.0f / sqrtf(variance + (float)m->epsilon);
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t some = least(LANES, channels - c);
      const f32x16 v = (NAME(load_some)(m->x, m->type, at + c, some) - mean) * inverse;
      NAME(store_some)(m->y, m->type, at + c,
                       FMA(v, NAME(load_some)(m->weight, CF_F32, c, some),
                           NAME(load_some)(m->bias, CF_F32, c, some)),
                       some);
    }
  }
}

static int NAME(normalize_layers)(cf_pool *pool, const cf_layer_norm *norm) {
  const double operations = 32 * (double)(norm->rows * norm->channels);
  cf_pool_run(pool, quotient_up(norm->rows, SOME_ROWS), operations, NAME(layers_body),
              (void *)norm);
  return 0;
}
