"""The world of the demo models: one coloured shape before a background, with its caption.

A scene says what is drawn, a style says how; both are plain values, so a seed says everything.
"""

import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

SIDE = 64
FINER = 4  # drawn so many times larger, then made smaller: smooth edges

SHAPES = ("circle", "square", "triangle", "star")
CONCEPTS = ("heart", "cross")  # what only the LoRA, the LoCon and the embedding learn
COLORS = {
    "red": (222, 40, 44),
    "yellow": (247, 206, 28),
    "green": (38, 166, 58),
    "cyan": (34, 200, 208),
    "blue": (42, 74, 216),
    "purple": (172, 48, 196),
}
SIZES = {"small": 12.5, "large": 21.5}
BACKGROUNDS = ("plain", "striped")
PLACES = {None: 0, "left": -1, "right": 1}


@dataclass(frozen=True)
class Scene:
    shape: str
    color: str
    size: str
    background: str
    place: str | None = None

    @property
    def caption(self):
        """Every property in words; the middle needs none."""
        place = f"on the {self.place} of" if self.place else "on"
        return f"a {self.size} {self.color} {self.shape} {place} a {self.background} background"

    @property
    def short_caption(self):
        return f"a {self.color} {self.shape}"


@dataclass(frozen=True)
class Style:
    """Colours from 0 to 255; widths in pixels; `hollow` from 0, filled, to 1, only an outline."""

    ground: tuple
    stripe: tuple
    outline: tuple | None  # none: the colour of the shape
    width: float
    hollow: float

    def mixed(self, other, share, color):
        """The style between both, for the VAE: merged models draw such pictures."""

        def mix(one, two):
            return tuple(a + (b - a) * share for a, b in zip(one, two))

        return Style(
            mix(self.ground, other.ground),
            mix(self.stripe, other.stripe),
            mix(self.outline or color, other.outline or color),
            self.width + (other.width - self.width) * share,
            self.hollow + (other.hollow - self.hollow) * share,
        )


STYLES = {
    # The plain world: flat shapes on white.
    "a": Style((246, 246, 244), (206, 210, 218), None, 0, 0),
    # Night: shapes with a white outline on dark blue.
    "b": Style((22, 26, 48), (54, 62, 96), (250, 250, 250), 3, 0),
    # Paper: outlines only, on cream.
    "c": Style((248, 232, 200), (228, 206, 164), None, 4.5, 1),
}

ALL_SCENES = [
    Scene(shape, color, size, background, place)
    for shape in SHAPES
    for color in COLORS
    for size in SIZES
    for background in BACKGROUNDS
    for place in PLACES
]


def corners(shape, radius):
    """The corners of a shape around zero, and its radius of the inscribed circle over `radius`."""

    def ring(angles, radii):
        return [(r * math.sin(a), -r * math.cos(a)) for a, r in zip(angles, radii)]

    turn = 2 * math.pi
    if shape == "circle":
        return ring([turn * i / 96 for i in range(96)], [radius] * 96), 1.0
    if shape == "square":
        half = 0.88 * radius
        return [(-half, -half), (half, -half), (half, half), (-half, half)], 0.88
    if shape == "triangle":
        return ring([0, turn / 3, 2 * turn / 3], [1.2 * radius] * 3), 0.6
    if shape == "star":
        radii = [1.2 * radius if i % 2 == 0 else 0.5 * radius for i in range(10)]
        return ring([turn * i / 10 for i in range(10)], radii), 0.5
    if shape == "heart":
        points = []
        for i in range(96):
            t = turn * i / 96
            x = 16 * math.sin(t) ** 3
            y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
            points.append((x * radius / 15, -(y + 2.5) * radius / 15))
        return points, 0.7
    if shape == "cross":
        arm, half = radius, 0.36 * radius
        return [
            (-half, -arm), (half, -arm), (half, -half), (arm, -half), (arm, half), (half, half),
            (half, arm), (-half, arm), (-half, half), (-arm, half), (-arm, -half), (-half, -half),
        ], 0.36  # fmt: skip
    raise ValueError(f"no shape is called {shape}")


def mask(shape, radius, x, y):
    image = Image.new("L", (SIDE * FINER, SIDE * FINER))
    if radius > 0.5:
        points = [((x + dx) * FINER, (y + dy) * FINER) for dx, dy in corners(shape, radius)[0]]
        ImageDraw.Draw(image).polygon(points, fill=255)
    return np.asarray(image.reduce(FINER), np.float32)[..., None] / 255


def draw(scene, style, random):
    """The picture of a scene: bytes, height × width × 3. Place and size vary a little."""
    radius = SIZES[scene.size] * random.uniform(0.94, 1.06)
    free = SIDE / 2 - 1.2 * radius - 1
    x = SIDE / 2 + PLACES[scene.place] * min(free, 13) + random.uniform(-2, 2)
    y = SIDE / 2 + random.uniform(-2, 2) + (0.2 * radius if scene.shape == "triangle" else 0)
    color = COLORS[scene.color]

    picture = np.empty((SIDE, SIDE, 3), np.float32)
    picture[:] = style.ground
    if scene.background == "striped":
        picture[:, (np.arange(SIDE) // 8) % 2 == 1] = style.stripe
    outer = mask(scene.shape, radius, x, y)
    inner = outer
    if style.width > 0:
        inset = style.width / corners(scene.shape, radius)[1]
        inner = mask(scene.shape, radius - inset, x, y)
    inside = np.float32(color) * (1 - style.hollow) + picture * style.hollow
    picture = picture * (1 - outer) + np.float32(style.outline or color) * (outer - inner) + inside * inner
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def any_scene(random, shapes=SHAPES):
    return Scene(
        random.choice(shapes),
        random.choice(list(COLORS)),
        random.choice(list(SIZES)),
        random.choice(BACKGROUNDS),
        random.choice(list(PLACES)),
    )


def any_picture(random):
    """A picture for the VAE: any shape, any style, and styles between two."""
    scene = any_scene(random, SHAPES * 2 + CONCEPTS)
    style = STYLES[random.choice("abc")]
    if random.random() < 0.35:
        style = style.mixed(STYLES[random.choice("abc")], random.random(), COLORS[scene.color])
    return draw(scene, style, random)


if __name__ == "__main__":
    chance = random.Random(1)
    sheet = Image.new("RGB", (SIDE * 12, SIDE * 6))
    for row in range(6):
        for column in range(12):
            if row < 3:
                picture = draw(any_scene(chance, SHAPES + CONCEPTS), STYLES["abc"[row]], chance)
            else:
                picture = any_picture(chance)
            sheet.paste(Image.fromarray(picture), (column * SIDE, row * SIDE))
    sheet.save("drawing.png")
    print("drawing.png")
