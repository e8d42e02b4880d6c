"""What is in a picture of the demo models: told by colour and contour, without a trained network."""

import functools
import math
import random

import numpy as np
from scipy import ndimage

from drawing import COLORS, CONCEPTS, SHAPES, SIDE, any_scene, mask

CHROMA = 80  # more than any background has, less than any shape
DIRECTIONS = 72


def prompts(count=100, seed=6):
    """The fixed scenes that the judges ask for."""
    chance = random.Random(seed)
    return [any_scene(chance) for _ in range(count)]


def hue(color):
    red, green, blue = (float(value) for value in color)
    return math.atan2(math.sqrt(3) * (green - blue), 2 * red - green - blue)


def profile(mask):
    """How far the contour is from the middle of the mask in each direction, over the mean of it."""
    rows, columns = np.nonzero(mask)
    y, x = rows.mean(), columns.mean()
    angles = np.arange(DIRECTIONS) * 2 * math.pi / DIRECTIONS
    steps = np.arange(0, SIDE, 0.5)[:, None]
    ys = np.clip(np.rint(y - steps * np.cos(angles)), 0, SIDE - 1).astype(int)
    xs = np.clip(np.rint(x + steps * np.sin(angles)), 0, SIDE - 1).astype(int)
    reach = (mask[ys, xs] * steps).max(0) + 0.5
    return reach / reach.mean()


@functools.cache
def profiles():
    return {shape: profile(mask(shape, 20, 32, 32)[..., 0] > 0.5) for shape in SHAPES + CONCEPTS}


def foreground(picture):
    """The largest patch of strong colour, with what it encloses."""
    picture = picture.astype(np.int16)
    strong = picture.max(2) - picture.min(2) > CHROMA
    patches, count = ndimage.label(strong, np.ones((3, 3)))
    if count == 0:
        return strong, strong
    sizes = ndimage.sum_labels(strong, patches, range(1, count + 1))
    largest = patches == 1 + int(np.argmax(sizes))
    return largest, ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(largest, 2), iterations=1))[2:-2, 2:-2]


def seen(picture, shapes=SHAPES):
    """The shape and the colour in a picture of bytes, or none."""
    strong, filled = foreground(picture)
    if strong.sum() < 30:
        return None, None
    turned = hue(picture[strong].astype(np.float64).mean(0))
    color = min(COLORS, key=lambda name: abs(math.remainder(hue(COLORS[name]) - turned, 2 * math.pi)))
    contour = profile(filled)
    return min(shapes, key=lambda name: np.square(profiles()[name] - contour).sum()), color


def share_right(scenes, pictures, shapes=SHAPES):
    """The shares of pictures with the right shape, the right colour, and both."""
    found = [seen(picture, shapes) for picture in pictures]
    shape = [a == scene.shape for scene, (a, _) in zip(scenes, found)]
    color = [b == scene.color for scene, (_, b) in zip(scenes, found)]
    both = [a and b for a, b in zip(shape, color)]
    return tuple(sum(values) / len(scenes) for values in (shape, color, both))
