// Pixels out of PNG and JPEG files and into PNG files, by libpng and libjpeg-turbo, which are looked
// for when they are first needed.
#pragma once
#include <stddef.h>
#include <stdint.h>

// What came of it.
enum { CP_DONE = 0, CP_NO_LIBRARY = 1, CP_FAILED = 2 };

// Room for what went wrong.
enum { CP_MESSAGE = 200 };

// The size of the picture in a file of `count` bytes.
int cp_png_size(const uint8_t *file, size_t count, uint32_t *width, uint32_t *height,
                char *message);
int cp_jpeg_size(const uint8_t *file, size_t count, uint32_t *width, uint32_t *height,
                 char *message);

// The pixels: red, green, blue and alpha, a byte each, row by row; `room` is 4 · width · height.
int cp_png_read(const uint8_t *file, size_t count, uint8_t *pixels, size_t room, char *message);
int cp_jpeg_read(const uint8_t *file, size_t count, uint8_t *pixels, size_t room, char *message);

// A PNG file of red, green and blue; *count is the room that there is, and becomes the length.
int cp_png_write(const uint8_t *pixels, uint32_t width, uint32_t height, uint8_t *file,
                 size_t *count, char *message);
