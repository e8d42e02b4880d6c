// The libraries are opened at run time: other commands do not pay for loading them, and the program
// runs where they are not installed. The few declarations here are of interfaces that libpng (since
// 1.6.0) and libjpeg-turbo (since 1.2) keep stable: png_image carries its own version number.
#include "CPictures.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  void *opaque;
  uint32_t version, width, height, format, flags, colormap_entries, warning_or_error;
  char message[64];
} png_image;

enum { PNG_IMAGE_VERSION = 1, PNG_RGB = 2, PNG_RGBA = 3, PNG_IMAGE_ERROR = 2 };
enum { TJ_RGBA = 7 };

static void say(char *message, const char *text) {
  snprintf(message, CP_MESSAGE, "%s", text ? text : "no reason given");
}

static void *find(const char *library, const char *symbol, char *message) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  void *found = handle ? dlsym(handle, symbol) : NULL;
  if (!found) say(message, dlerror());
  return found;
}

static void *png(const char *symbol, char *message) { return find("libpng16.so.16", symbol, message); }

static void *jpeg(const char *symbol, char *message) {
  return find("libturbojpeg.so.0", symbol, message);
}

// Begins reading; the caller frees the image.
static int png_begin(const uint8_t *file, size_t count, png_image *image, char *message) {
  int (*begin)(png_image *, const void *, size_t);
  if (!(*(void **)&begin = png("png_image_begin_read_from_memory", message))) return CP_NO_LIBRARY;
  memset(image, 0, sizeof *image);
  image->version = PNG_IMAGE_VERSION;
  if (begin(image, file, count)) return CP_DONE;
  say(message, image->message);
  return CP_FAILED;
}

static void png_end(png_image *image, char *message) {
  void (*release)(png_image *);
  if ((*(void **)&release = png("png_image_free", message))) release(image);
}

int cp_png_size(const uint8_t *file, size_t count, uint32_t *width, uint32_t *height,
                char *message) {
  png_image image;
  int code = png_begin(file, count, &image, message);
  if (code != CP_DONE) return code;
  *width = image.width;
  *height = image.height;
  png_end(&image, message);
  return CP_DONE;
}

int cp_png_read(const uint8_t *file, size_t count, uint8_t *pixels, size_t room, char *message) {
  int (*finish)(png_image *, const void *, void *, int32_t, void *);
  if (!(*(void **)&finish = png("png_image_finish_read", message))) return CP_NO_LIBRARY;
  png_image image;
  int code = png_begin(file, count, &image, message);
  if (code != CP_DONE) return code;
  image.format = PNG_RGBA;
  if ((size_t)image.width * image.height * 4 != room) {
    say(message, "the size changed");
    code = CP_FAILED;
  } else if (!finish(&image, NULL, pixels, 0, NULL) || image.warning_or_error >= PNG_IMAGE_ERROR) {
    say(message, image.message);
    code = CP_FAILED;
  }
  png_end(&image, message);
  return code;
}

int cp_png_write(const uint8_t *pixels, uint32_t width, uint32_t height, uint8_t *file,
                 size_t *count, char *message) {
  int (*write)(png_image *, void *, size_t *, int, const void *, int32_t, const void *);
  if (!(*(void **)&write = png("png_image_write_to_memory", message))) return CP_NO_LIBRARY;
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = PNG_RGB;
  int done = write(&image, file, count, 0, pixels, 0, NULL);
  if (!done) say(message, image.message[0] ? image.message : "the file became too long");
  png_end(&image, message);
  return done ? CP_DONE : CP_FAILED;
}

struct jpeg {
  void *handle;
  int width, height;
  int (*read)(void *, const unsigned char *, unsigned long, unsigned char *, int, int, int, int,
              int);
  int (*destroy)(void *);
  char *(*error)(void *);
};

static int jpeg_begin(const uint8_t *file, size_t count, struct jpeg *j, char *message) {
  void *(*init)(void);
  int (*header)(void *, const unsigned char *, unsigned long, int *, int *, int *, int *);
  if (!(*(void **)&init = jpeg("tjInitDecompress", message)) ||
      !(*(void **)&header = jpeg("tjDecompressHeader3", message)) ||
      !(*(void **)&j->read = jpeg("tjDecompress2", message)) ||
      !(*(void **)&j->destroy = jpeg("tjDestroy", message)) ||
      !(*(void **)&j->error = jpeg("tjGetErrorStr2", message)) || !(j->handle = init()))
    return CP_NO_LIBRARY;
  int sampling, space;
  // A file of tables alone has a header without a size, which stays as it is here.
  j->width = j->height = 0;
  if (header(j->handle, file, count, &j->width, &j->height, &sampling, &space) == 0 &&
      j->width > 0 && j->height > 0)
    return CP_DONE;
  say(message, j->width ? j->error(j->handle) : "it has no picture in it");
  j->destroy(j->handle);
  return CP_FAILED;
}

int cp_jpeg_size(const uint8_t *file, size_t count, uint32_t *width, uint32_t *height,
                 char *message) {
  struct jpeg j;
  int code = jpeg_begin(file, count, &j, message);
  if (code != CP_DONE) return code;
  *width = (uint32_t)j.width;
  *height = (uint32_t)j.height;
  j.destroy(j.handle);
  return CP_DONE;
}

int cp_jpeg_read(const uint8_t *file, size_t count, uint8_t *pixels, size_t room, char *message) {
  struct jpeg j;
  int code = jpeg_begin(file, count, &j, message);
  if (code != CP_DONE) return code;
  if ((size_t)j.width * (size_t)j.height * 4 != room) {
    say(message, "the size changed");
    code = CP_FAILED;
  } else if (j.read(j.handle, file, count, pixels, j.width, 0, j.height, TJ_RGBA, 0) != 0) {
    // Also warnings: of a file that ends early the rest would be grey.
    say(message, j.error(j.handle));
    code = CP_FAILED;
  }
  j.destroy(j.handle);
  return code;
}
