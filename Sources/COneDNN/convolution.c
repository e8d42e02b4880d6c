// Plans, packing and running, in terms of either interface.
#include "functions.h"
#include <stdlib.h>
#include <string.h>

struct od_plan {
  od_conv conv;
  int32_t layout;
  void *description, *primitive;
  struct od_plan *next;
};

// How weights lie: a layout that belongs to the description of the plan that was first to want it.
typedef struct layout {
  dnnl_layout descriptor;
  const od_plan *plan;
} layout;

struct od_context {
  int threads;
  void *engine, *stream;
  od_plan *plans;
  layout *layouts;
  int32_t layout_count;
};

// A descriptor of memory that we make.
typedef struct descriptor {
  // 696 bytes in version 2.6.
  _Alignas(16) char structure[2048];
  void *handle;
} descriptor;

static dnnl_layout reference_to(const descriptor *d) {
  return od_major == 2 ? (const void *)d->structure : d->handle;
}

// With `strides` NULL the library chooses.
static int describe(descriptor *d, int axes, const int64_t *sizes, int type, const int64_t *strides) {
  d->handle = NULL;
  if (od_major == 2)
    return strides ? od_f2.memory_desc_init_by_strides(d->structure, axes, sizes, type, strides)
                   : od_f2.memory_desc_init_by_tag(d->structure, axes, sizes, type, DNNL_TAG_ANY);
  return strides ? od_f3.memory_desc_create_with_strides(&d->handle, axes, sizes, type, strides)
                 : od_f3.memory_desc_create_with_tag(&d->handle, axes, sizes, type, DNNL_TAG_ANY);
}

static void forget(descriptor *d) {
  if (od_major == 3 && d->handle) od_f3.memory_desc_destroy(d->handle);
  d->handle = NULL;
}

static od_status status_of(int status) {
  return status == DNNL_SUCCESS ? OD_DONE : status == DNNL_OUT_OF_MEMORY ? OD_NO_MEMORY : OD_UNABLE;
}

od_context *od_create(int threads) {
  if (od_load()) return NULL;
  od_context *context = calloc(1, sizeof *context);
  if (!context) return NULL;
  context->threads = threads;
  if (od_f.engine_create(&context->engine, DNNL_CPU, 0) ||
      od_f.stream_create(&context->stream, context->engine, DNNL_STREAM_DEFAULT)) {
    od_destroy(context);
    return NULL;
  }
  return context;
}

static void free_plan(od_plan *plan) {
  if (plan->primitive) od_f.primitive_destroy(plan->primitive);
  if (plan->description) od_f.primitive_desc_destroy(plan->description);
  free(plan);
}

void od_destroy(od_context *context) {
  if (!context) return;
  while (context->plans) {
    od_plan *plan = context->plans;
    context->plans = plan->next;
    free_plan(plan);
  }
  free(context->layouts);
  if (context->stream) od_f.stream_destroy(context->stream);
  if (context->engine) od_f.engine_destroy(context->engine);
  free(context);
}

static void begin(const od_context *context) {
  if (od_set_threads) od_set_threads(context->threads);
}

static int type_of(od_type type) { return type == OD_BF16 ? DNNL_BF16 : DNNL_F32; }

// Channels last, of an image `[n, channels, height, width]`.
static int describe_image(descriptor *d, int64_t n, int64_t channels, int64_t height, int64_t width,
                          od_type type) {
  const dnnl_dims sizes = {n, channels, height, width};
  const dnnl_dims strides = {height * width * channels, 1, width * channels, channels};
  return describe(d, 4, sizes, type_of(type), strides);
}

// As they come: `[outputs, inputs, kernel, kernel]`.
static int describe_weights(descriptor *d, const od_conv *c, int is_free) {
  const int64_t area = (int64_t)c->kernel * c->kernel;
  const dnnl_dims sizes = {c->outputs, c->inputs, c->kernel, c->kernel};
  const dnnl_dims strides = {c->inputs * area, area, c->kernel, 1};
  return describe(d, 4, sizes, type_of(c->type), is_free ? NULL : strides);
}

static int append_activation(void *operations, od_activation activation) {
  const od_numbers *numbers = od_major == 2 ? &od_second : &od_third;
  if (activation == OD_NONE) return 0;
  const int algorithm = activation == OD_GELU ? numbers->gelu_erf : numbers->swish;
  const float alpha = activation == OD_QUICK_GELU ? 1.702f : 1;
  return od_major == 2 ? od_f2.post_ops_append_eltwise(operations, 1, algorithm, alpha, 0)
                       : od_f3.post_ops_append_eltwise(operations, algorithm, alpha, 0);
}

// Attributes with what follows the sum of products.
static int make_attributes(const od_conv *c, dnnl_layout result, void **attributes) {
  void *operations = NULL;
  int status = od_f.primitive_attr_create(attributes);
  if (!status) status = od_f.post_ops_create(&operations);
  if (!status) status = append_activation(operations, c->activation);
  if (!status && c->adds)
    status = od_f.post_ops_append_binary(operations, DNNL_BINARY_ADD, result);
  if (!status) status = od_f.primitive_attr_set_post_ops(*attributes, operations);
  if (operations) od_f.post_ops_destroy(operations);
  return status;
}

static int64_t zeros_after(const od_conv *c, int64_t size, int64_t out_size) {
  return (out_size - 1) * c->stride + c->kernel - size - c->pad;
}

static int make_description(const od_context *context, const od_conv *c, const descriptor *x,
                            const descriptor *weights, const descriptor *bias, const descriptor *y,
                            void *attributes, void **description) {
  const dnnl_dims strides = {c->stride, c->stride}, dilations = {0, 0};
  const dnnl_dims before = {c->pad, c->pad};
  const dnnl_dims after = {zeros_after(c, c->height, c->out_height),
                           zeros_after(c, c->width, c->out_width)};
  const dnnl_layout b = c->has_bias ? reference_to(bias) : NULL;
  if (od_major == 3)
    return od_f3.convolution_forward_primitive_desc_create(
        description, context->engine, DNNL_FORWARD_INFERENCE, DNNL_CONVOLUTION_DIRECT,
        reference_to(x), reference_to(weights), b, reference_to(y), strides, dilations, before,
        after, attributes);
  // A structure of 5976 bytes in version 2.6.
  _Alignas(16) char operation[16384];
  const int status = od_f2.dilated_convolution_forward_desc_init(
      operation, DNNL_FORWARD_INFERENCE, DNNL_CONVOLUTION_DIRECT, reference_to(x),
      reference_to(weights), b, reference_to(y), strides, dilations, before, after);
  if (status) return status;
  return od_f2.primitive_desc_create(description, operation, attributes, context->engine, NULL);
}

static int make_primitive(const od_context *context, od_plan *plan) {
  const od_conv *c = &plan->conv;
  descriptor x = {0}, weights = {0}, bias = {0}, y = {0};
  void *attributes = NULL;
  const dnnl_dims sizes = {c->outputs}, strides = {1};
  int status = describe_image(&x, c->n, c->inputs, c->height, c->width, c->type);
  if (!status) status = describe_weights(&weights, c, 1);
  if (!status) status = describe(&bias, 1, sizes, DNNL_F32, strides);
  if (!status)
    status = describe_image(&y, c->n, c->outputs, c->out_height, c->out_width, c->type);
  if (!status) status = make_attributes(c, reference_to(&y), &attributes);
  if (!status)
    status = make_description(context, c, &x, &weights, &bias, &y, attributes, &plan->description);
  if (!status) status = od_f.primitive_create(&plan->primitive, plan->description);
  if (attributes) od_f.primitive_attr_destroy(attributes);
  forget(&x);
  forget(&weights);
  forget(&bias);
  forget(&y);
  return status;
}

// Gives the layout of the plan's weights its number.
static int number_layout(od_context *context, od_plan *plan) {
  const dnnl_layout wanted =
      od_f.primitive_desc_query_md(plan->description, DNNL_QUERY_WEIGHTS_MD, 0);
  for (int32_t i = 0; i < context->layout_count; i++)
    if (od_f.memory_desc_equal(context->layouts[i].descriptor, wanted)) {
      plan->layout = i + 1;
      return DNNL_SUCCESS;
    }
  const size_t count = (size_t)context->layout_count + 1;
  layout *more = realloc(context->layouts, count * sizeof *more);
  if (!more) return DNNL_OUT_OF_MEMORY;
  context->layouts = more;
  more[count - 1] = (layout){wanted, plan};
  plan->layout = context->layout_count = (int32_t)count;
  return DNNL_SUCCESS;
}

static int is_equal(const od_conv *a, const od_conv *b) {
  return a->type == b->type && a->n == b->n && a->height == b->height && a->width == b->width &&
         a->inputs == b->inputs && a->out_height == b->out_height &&
         a->out_width == b->out_width && a->outputs == b->outputs && a->kernel == b->kernel &&
         a->stride == b->stride && a->pad == b->pad && a->has_bias == b->has_bias &&
         a->adds == b->adds && a->activation == b->activation;
}

od_status od_find(od_context *context, const od_conv *conv, const od_plan **found) {
  for (od_plan *plan = context->plans; plan; plan = plan->next)
    if (is_equal(&plan->conv, conv)) {
      *found = plan;
      return OD_DONE;
    }
  od_plan *plan = calloc(1, sizeof *plan);
  if (!plan) return OD_NO_MEMORY;
  plan->conv = *conv;
  begin(context);
  int status = make_primitive(context, plan);
  if (!status) status = number_layout(context, plan);
  if (status) {
    free_plan(plan);
    return status_of(status);
  }
  plan->next = context->plans;
  context->plans = plan;
  *found = plan;
  return OD_DONE;
}

int32_t od_layout(const od_plan *plan) { return plan->layout; }

size_t od_layout_size(const od_context *context, int32_t layout) {
  return od_f.memory_desc_get_size(context->layouts[layout - 1].descriptor);
}

// Runs a primitive on values that lie as described.
typedef struct operand {
  int kind;
  dnnl_layout layout;
  const void *values;
} operand;

static int execute(const od_context *context, void *primitive, const operand *operands, int count) {
  dnnl_argument arguments[5];
  int made = 0, status = DNNL_SUCCESS;
  for (; made < count && !status; made++) {
    arguments[made].kind = operands[made].kind;
    arguments[made].memory = NULL;
    status = od_f.memory_create(&arguments[made].memory, operands[made].layout, context->engine,
                                (void *)operands[made].values);
  }
  if (!status) status = od_f.primitive_execute(primitive, context->stream, count, arguments);
  if (!status) status = od_f.stream_wait(context->stream);
  while (made-- > 0)
    if (arguments[made].memory) od_f.memory_destroy(arguments[made].memory);
  return status;
}

static int reorder(const od_context *context, dnnl_layout from, const void *x, dnnl_layout to,
                   void *y) {
  void *description = NULL, *primitive = NULL;
  begin(context);
  int status = od_f.reorder_primitive_desc_create(&description, from, context->engine, to,
                                                  context->engine, NULL);
  if (!status) status = od_f.primitive_create(&primitive, description);
  const operand operands[] = {{DNNL_ARG_FROM, from, x}, {DNNL_ARG_DST, to, y}};
  if (!status) status = execute(context, primitive, operands, 2);
  if (primitive) od_f.primitive_destroy(primitive);
  if (description) od_f.primitive_desc_destroy(description);
  return status;
}

od_status od_pack(od_context *context, const od_plan *plan, const void *weights, void *packed) {
  descriptor plain = {0};
  int status = describe_weights(&plain, &plan->conv, 0);
  if (!status)
    status = reorder(context, reference_to(&plain), weights,
                     context->layouts[plan->layout - 1].descriptor, packed);
  forget(&plain);
  return status_of(status);
}

od_status od_unpack(od_context *context, int32_t number, const void *packed, void *weights) {
  const layout *from = &context->layouts[number - 1];
  descriptor plain = {0};
  int status = describe_weights(&plain, &from->plan->conv, 0);
  if (!status)
    status = reorder(context, from->descriptor, packed, reference_to(&plain), weights);
  forget(&plain);
  return status_of(status);
}

od_status od_run(od_context *context, const od_plan *plan, const void *x, const void *packed,
                 const float *bias, const void *residual, void *y) {
  const od_conv *c = &plan->conv;
  const od_numbers *numbers = od_major == 2 ? &od_second : &od_third;
  descriptor dx = {0}, dy = {0}, db = {0};
  const dnnl_dims sizes = {c->outputs}, strides = {1};
  int status = describe_image(&dx, c->n, c->inputs, c->height, c->width, c->type);
  if (!status)
    status = describe_image(&dy, c->n, c->outputs, c->out_height, c->out_width, c->type);
  if (!status) status = describe(&db, 1, sizes, DNNL_F32, strides);
  if (!status) {
    operand operands[5] = {
        {DNNL_ARG_SRC, reference_to(&dx), x},
        {DNNL_ARG_WEIGHTS, context->layouts[plan->layout - 1].descriptor, packed},
        {DNNL_ARG_DST, reference_to(&dy), y}};
    int count = 3;
    if (c->has_bias) operands[count++] = (operand){DNNL_ARG_BIAS, reference_to(&db), bias};
    if (c->adds) {
      // What is added is the first operation that follows, or the second.
      const int position = c->activation == OD_NONE ? 1 : 2;
      operands[count++] = (operand){numbers->post_op_base * position | DNNL_ARG_SRC_1,
                                    reference_to(&dy), residual};
    }
    begin(context);
    status = execute(context, plan->primitive, operands, count);
  }
  forget(&dx);
  forget(&dy);
  forget(&db);
  return status_of(status);
}
