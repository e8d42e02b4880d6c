import Glibc

extension Picture {
  /// The picture at another size, by Lanczos's filter of three lobes.
  ///
  /// Where it becomes smaller the filter is as much wider, so that nothing is skipped. Rows first,
  /// then columns, in 8 bits: the bytes are those of Pillow's `resize` with `LANCZOS`, which the web
  /// UIs and diffusers use. Since version 13 Pillow takes columns first where the height shrinks much
  /// more than the width, and rounds differently there.
  ///
  /// - Parameters:
  ///   - width: the pixels in a row of the result.
  ///   - height: the rows of the result.
  /// - Returns: the picture; itself where the size is the same.
  public func resized(width: Int, height: Int) -> Picture {
    precondition(width > 0 && height > 0 && width <= Self.maximumPixelCount / height)
    var result = self
    if width != self.width {
      let taps = Taps(from: self.width, to: width)
      result = result.resampled(taps, width: width, height: self.height) { place, along in
        (place.row * self.width + along) * 3
      }
    }
    if height != self.height {
      let columns = result.width
      let taps = Taps(from: self.height, to: height)
      result = result.resampled(taps, width: columns, height: height) { place, along in
        (along * columns + place.column) * 3
      }
    }
    return result
  }

  /// The largest part of the picture with the proportions of a size, from its middle, at that size.
  public func filled(width: Int, height: Int) -> Picture {
    let (wide, high) = (self.width * height, self.height * width)
    let own =
      wide > high
      ? (max(1, (self.height * width + height / 2) / height), self.height)
      : (self.width, max(1, (self.width * height + width / 2) / width))
    var part = Picture(width: own.0, height: own.1)
    part.draw(self, atX: -((self.width - own.0) / 2), y: -((self.height - own.1) / 2))
    return part.resized(width: width, height: height)
  }

  /// Sums of pixels in one direction; `index` tells where a pixel of this picture is.
  private func resampled(
    _ taps: Taps, width: Int, height: Int,
    index: (_ place: (row: Int, column: Int), _ along: Int) -> Int
  ) -> Picture {
    var result = Picture(width: width, height: height)
    let isInRows = width != self.width
    for row in 0..<height {
      for column in 0..<width {
        let (first, weights) = taps[isInRows ? column : row]
        var sums = (Taps.half, Taps.half, Taps.half)
        for (offset, weight) in weights.enumerated() {
          let from = index((row, column), first + offset)
          sums.0 += Int(pixels[from]) * weight
          sums.1 += Int(pixels[from + 1]) * weight
          sums.2 += Int(pixels[from + 2]) * weight
        }
        let to = (row * width + column) * 3
        result.pixels[to] = Taps.byte(sums.0)
        result.pixels[to + 1] = Taps.byte(sums.1)
        result.pixels[to + 2] = Taps.byte(sums.2)
      }
    }
    return result
  }
}

/// What each pixel of a row or column takes from the old ones, in whole numbers of 2⁻²².
private struct Taps {
  static let bits = 22
  static let half = 1 << (bits - 1)

  private var taps: [(first: Int, weights: [Int])] = []

  subscript(place: Int) -> (first: Int, weights: [Int]) { taps[place] }

  init(from old: Int, to new: Int) {
    let scale = Double(old) / Double(new), wide = max(1, scale), support = 3 * wide
    for place in 0..<new {
      let middle = (Double(place) + 0.5) * scale
      let first = max(0, Int(middle - support + 0.5))
      let end = min(old, Int(middle + support + 0.5))
      var weights = (first..<end).map { Self.lanczos((Double($0) - middle + 0.5) / wide) }
      let sum = weights.reduce(0, +)
      if sum != 0 { weights = weights.map { $0 / sum } }
      taps.append(
        (
          first,
          weights.map { Int(($0 * Double(1 << Self.bits)).rounded(.toNearestOrAwayFromZero)) }
        ))
    }
  }

  /// The byte that a sum stands for.
  static func byte(_ sum: Int) -> UInt8 { UInt8(min(255, max(0, sum >> bits))) }

  private static func lanczos(_ x: Double) -> Double {
    func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
    return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
  }
}
