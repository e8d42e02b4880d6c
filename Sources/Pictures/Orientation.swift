/// How a picture must be turned to be upright: cameras store what the sensor saw, and note in EXIF how
/// they were held.
///
/// Source: JEITA CP-3451, Exif 2.2, tag 0x0112.
enum Orientation: Int {
  case upright = 1
  case mirrored, upsideDown, flipped, transposed, turnedLeft, transversed, turnedRight

  /// What a JPEG file notes; upright if nothing that can be understood.
  init(ofJPEG file: [UInt8]) {
    self = Self.segment(of: file).flatMap { Self.noted(in: $0) } ?? .upright
  }

  /// The TIFF structure in the file's EXIF segment.
  private static func segment(of file: [UInt8]) -> ArraySlice<UInt8>? {
    let name: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]
    var start = 2
    while start + 4 <= file.count, file[start] == 0xFF {
      let marker = file[start + 1]
      // The picture itself begins, or ends.
      if marker == 0xDA || marker == 0xD9 { return nil }
      let length = Int(file[start + 2]) << 8 | Int(file[start + 3])
      guard length >= 2, start + 2 + length <= file.count else { return nil }
      let content = file[start + 4..<start + 2 + length]
      if marker == 0xE1, content.starts(with: name) { return content.dropFirst(name.count) }
      start += 2 + length
    }
    return nil
  }

  private static func noted(in tiff: ArraySlice<UInt8>) -> Orientation? {
    let isLittle = tiff.starts(with: [0x49, 0x49])
    guard isLittle || tiff.starts(with: [0x4D, 0x4D]) else { return nil }
    func number(at offset: Int, bytes: Int) -> Int? {
      guard offset >= 0, offset <= tiff.count - bytes else { return nil }
      let start = tiff.startIndex + offset
      let found = tiff[start..<start + bytes]
      return (isLittle ? Array(found.reversed()) : Array(found)).reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(at: 4, bytes: 4), let count = number(at: directory, bytes: 2)
    else { return nil }
    for entry in 0..<count {
      let start = directory + 2 + 12 * entry
      guard let tag = number(at: start, bytes: 2) else { return nil }
      if tag == 0x0112 {
        return number(at: start + 8, bytes: 2).flatMap { Orientation(rawValue: $0) }
      }
    }
    return nil
  }

  /// Whether width and height change places.
  private var swapsSides: Bool { rawValue >= Self.transposed.rawValue }

  /// The upright picture.
  func applied(to picture: Picture) -> Picture {
    guard self != .upright else { return picture }
    let (width, height) = (picture.width, picture.height)
    var turned = Picture(
      width: swapsSides ? height : width, height: swapsSides ? width : height)
    for y in 0..<turned.height {
      for x in 0..<turned.width {
        let (left, up) =
          switch self {
          case .upright: (x, y)
          case .mirrored: (width - 1 - x, y)
          case .upsideDown: (width - 1 - x, height - 1 - y)
          case .flipped: (x, height - 1 - y)
          case .transposed: (y, x)
          case .turnedLeft: (y, height - 1 - x)
          case .transversed: (width - 1 - y, height - 1 - x)
          case .turnedRight: (width - 1 - y, x)
          }
        let from = 3 * (up * width + left), to = 3 * (y * turned.width + x)
        for channel in 0..<3 { turned.pixels[to + channel] = picture.pixels[from + channel] }
      }
    }
    return turned
  }
}
