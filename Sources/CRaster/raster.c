// The libraries are opened at run time: other commands do not pay for loading them, and the program
// runs where they are not installed. The few declarations here are of their stable interfaces.
#include "CRaster.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { uint32_t domain; int code; char *message; } Error;  // GError
typedef struct { double x, y, width, height; } Rectangle;             // RsvgRectangle

struct libraries {
  void *(*handle_new)(const uint8_t *, size_t, Error **);
  int (*render)(void *, void *, const Rectangle *, Error **);
  void *(*surface_create)(int, int, int);
  int (*surface_status)(void *);
  void (*surface_destroy)(void *);
  void *(*context_create)(void *);
  void (*context_destroy)(void *);
  void (*set_color)(void *, double, double, double);
  void (*paint)(void *);
  int (*write)(void *, int (*)(void *, const unsigned char *, unsigned), void *);
  void (*unref)(void *);
  void (*error_free)(Error *);
};

static int load(struct libraries *l, char *message, size_t count) {
  void *rsvg = dlopen("librsvg-2.so.2", RTLD_NOW | RTLD_LOCAL);
  void *cairo = rsvg ? dlopen("libcairo.so.2", RTLD_NOW | RTLD_LOCAL) : NULL;
  void *gobject = cairo ? dlopen("libgobject-2.0.so.0", RTLD_NOW | RTLD_LOCAL) : NULL;
  void *glib = gobject ? dlopen("libglib-2.0.so.0", RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!glib) {
    const char *reason = dlerror();
    snprintf(message, count, "%s", reason ? reason : "librsvg is not there");
    return 0;
  }
#define FIND(member, library, name) \
  if (!(*(void **)&l->member = dlsym(library, name))) { \
    snprintf(message, count, "%s is missing; librsvg 2.46 or newer is needed", name); \
    return 0; \
  }
  FIND(handle_new, rsvg, "rsvg_handle_new_from_data")
  FIND(render, rsvg, "rsvg_handle_render_document")
  FIND(surface_create, cairo, "cairo_image_surface_create")
  FIND(surface_status, cairo, "cairo_surface_status")
  FIND(surface_destroy, cairo, "cairo_surface_destroy")
  FIND(context_create, cairo, "cairo_create")
  FIND(context_destroy, cairo, "cairo_destroy")
  FIND(set_color, cairo, "cairo_set_source_rgb")
  FIND(paint, cairo, "cairo_paint")
  FIND(write, cairo, "cairo_surface_write_to_png_stream")
  FIND(unref, gobject, "g_object_unref")
  FIND(error_free, glib, "g_error_free")
#undef FIND
  return 1;
}

struct bytes {
  uint8_t *start;
  size_t count, room;
};

static int append(void *closure, const unsigned char *data, unsigned length) {
  struct bytes *b = closure;
  if (b->room - b->count < length) {
    size_t room = 2 * b->room + length + 4096;
    uint8_t *start = realloc(b->start, room);
    if (!start) return 1;  // CAIRO_STATUS_NO_MEMORY
    b->start = start;
    b->room = room;
  }
  memcpy(b->start + b->count, data, length);
  b->count += length;
  return 0;
}

int cr_png(const char *svg, size_t count, int width, int height, uint32_t background, uint8_t **png,
           size_t *png_count, char *message, size_t message_count) {
  struct libraries l;
  if (!load(&l, message, message_count)) return CR_NO_LIBRARY;
  Error *error = NULL;
  struct bytes bytes = {NULL, 0, 0};
  void *surface = NULL, *context = NULL;
  int done = 0;
  void *handle = l.handle_new((const uint8_t *)svg, count, &error);
  if (handle) {
    surface = l.surface_create(0, width, height);
    if (l.surface_status(surface) == 0) {
      context = l.context_create(surface);
      l.set_color(context, (background >> 16 & 255) / 255.0, (background >> 8 & 255) / 255.0,
                  (background & 255) / 255.0);
      l.paint(context);
      Rectangle viewport = {0, 0, width, height};
      done = l.render(handle, context, &viewport, &error) &&
             l.write(surface, append, &bytes) == 0;
    }
  }
  if (!done) {
    snprintf(message, message_count, "%s",
             error && error->message ? error->message : "there is too little memory");
    free(bytes.start);
  }
  if (error) l.error_free(error);
  if (context) l.context_destroy(context);
  if (surface) l.surface_destroy(surface);
  if (handle) l.unref(handle);
  if (!done) return CR_FAILED;
  *png = bytes.start;
  *png_count = bytes.count;
  return CR_DONE;
}

void cr_free(uint8_t *png) { free(png); }
