// Pictures out of SVG texts, by librsvg and cairo, which are looked for when they are first needed.
#pragma once
#include <stddef.h>
#include <stdint.h>

// What came of it.
enum { CR_DONE = 0, CR_NO_LIBRARY = 1, CR_FAILED = 2 };

// Draws the SVG text of `count` bytes as a PNG of `width` × `height` pixels, on `background`, which
// is 24 bits, red highest: where the picture's proportions are not quite those of the pixels, no
// edge is transparent.
//
// On CR_DONE *png is memory of *png_count bytes that cr_free releases. Otherwise `message`, which
// has room for `message_count` bytes, says why, and nothing is to be released.
int cr_png(const char *svg, size_t count, int width, int height, uint32_t background, uint8_t **png,
           size_t *png_count, char *message, size_t message_count);

void cr_free(uint8_t *png);
