/// A picture in memory: red, green and blue, a byte each, row by row from the top.
public struct Picture: Hashable, Sendable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// 3 · width · height bytes.
  public var pixels: [UInt8]

  /// The most pixels that are read or written: 64 million.
  public static let maximumPixelCount = 1 << 26

  /// A picture of one colour.
  public init(width: Int, height: Int, red: UInt8 = 255, green: UInt8 = 255, blue: UInt8 = 255) {
    precondition(width > 0 && height > 0 && width <= Self.maximumPixelCount / height)
    self.width = width
    self.height = height
    pixels = []
    pixels.reserveCapacity(3 * width * height)
    for _ in 0..<width * height { pixels += [red, green, blue] }
  }

  /// A picture of `pixels`.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == 3 * width * height, "three bytes for each pixel")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// A picture of planes in -1...1, red, green, then blue, as a VAE decodes them.
  ///
  /// Numbers outside are cut, and what is not a number becomes black.
  public init(width: Int, height: Int, planes: some RandomAccessCollection<Float>) {
    let size = width * height
    precondition(planes.count == 3 * size, "three planes")
    var pixels = [UInt8](repeating: 0, count: 3 * size)
    for (place, value) in planes.enumerated() {
      let byte = ((value + 1) / 2 * 255).rounded(.toNearestOrEven)
      // Comparisons with NaN are false.
      let cut: UInt8 = byte >= 255 ? 255 : byte > 0 ? UInt8(byte) : 0
      pixels[place % size * 3 + place / size] = cut
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// The picture as planes in -1...1, red, green, then blue, as a VAE encodes them.
  public var planes: [Float] {
    let size = width * height
    var planes = [Float](repeating: 0, count: 3 * size)
    for place in 0..<size {
      for channel in 0..<3 {
        planes[channel * size + place] = Float(pixels[3 * place + channel]) / 127.5 - 1
      }
    }
    return planes
  }

  /// The brightness of each pixel from 0 to 1, weighted as in ITU-R BT.601.
  public var brightness: [Float] {
    (0..<width * height).map { place in
      let red = Int(pixels[3 * place]), green = Int(pixels[3 * place + 1])
      let blue = Int(pixels[3 * place + 2])
      return Float(red * 299 + green * 587 + blue * 114) / 255_000
    }
  }

  /// Draws another picture with its upper left corner at a place; what is outside is cut.
  public mutating func draw(_ other: Picture, atX x: Int, y: Int) {
    for row in max(0, -y)..<max(max(0, -y), min(other.height, height - y)) {
      for column in max(0, -x)..<max(max(0, -x), min(other.width, width - x)) {
        let source = 3 * (row * other.width + column)
        let target = 3 * ((row + y) * width + column + x)
        for channel in 0..<3 { pixels[target + channel] = other.pixels[source + channel] }
      }
    }
  }

  /// The middle of the picture, with sides that are multiples of `step`.
  public func cropped(toMultipleOf step: Int) -> Picture {
    let wide = width / step * step, high = height / step * step
    guard (wide, high) != (width, height), wide > 0, high > 0 else { return self }
    var picture = Picture(width: wide, height: high)
    picture.draw(self, atX: -((width - wide) / 2), y: -((height - high) / 2))
    return picture
  }
}
