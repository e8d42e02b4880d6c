import CPictures
public import Tensors

extension Picture {
  /// What shows through where a picture is transparent.
  public enum Ground: UInt8, Sendable {
    /// White, for pictures.
    case white = 255
    /// Black, for masks.
    case black = 0
  }

  /// Reads a PNG or JPEG file, told by its contents; one of a camera that was turned is turned back.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - ground: what shows through where the picture is transparent.
  /// - Throws: ``Tensors/Rule/notAPicture`` for another or a broken file,
  ///   ``Tensors/Rule/pictureTooLarge``, ``Tensors/Rule/pictureLibrary``, and what reading throws.
  public init(path: String, over ground: Ground = .white) throws(Fault) {
    let file = try InputFile(path: path)
    // Nothing that fits into the most pixels is longer, unless it is uncompressed and broken.
    guard file.byteCount <= 4 * Self.maximumPixelCount else {
      throw Fault(
        .pictureTooLarge, "is too long for a picture", path: path,
        expected: "at most \(4 * Self.maximumPixelCount) bytes", found: "\(file.byteCount)")
    }
    let bytes = try file.read(at: 0, count: file.byteCount)
    try file.checkUnchanged()
    do throws(Fault) {
      try self.init(file: bytes, over: ground)
    } catch {
      throw error.at(path)
    }
  }

  /// Reads the bytes of a PNG or JPEG file.
  init(file: [UInt8], over ground: Ground) throws(Fault) {
    let isPNG = file.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    guard isPNG || file.starts(with: [0xFF, 0xD8, 0xFF]) else {
      throw Fault(
        .notAPicture, "is neither a PNG nor a JPEG file",
        hint: "convert it to PNG with another program")
    }
    var message = [CChar](repeating: 0, count: Int(CP_MESSAGE))
    var wide: UInt32 = 0, high: UInt32 = 0
    let sized =
      isPNG
      ? unsafe cp_png_size(file, file.count, &wide, &high, &message)
      : unsafe cp_jpeg_size(file, file.count, &wide, &high, &message)
    try Fault.check(sized, message, isPNG: isPNG)
    let width = Int(wide), height = Int(high)
    let (count, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, count > 0, count <= Self.maximumPixelCount else {
      throw Fault(
        .pictureTooLarge, "has too many pixels",
        expected: "at most \(Self.maximumPixelCount)", found: "\(width) × \(height)",
        hint: "make it smaller with another program")
    }
    var values = [UInt8](repeating: 0, count: 4 * count)
    let read =
      isPNG
      ? unsafe cp_png_read(file, file.count, &values, values.count, &message)
      : unsafe cp_jpeg_read(file, file.count, &values, values.count, &message)
    try Fault.check(read, message, isPNG: isPNG)
    var pixels = [UInt8](repeating: 0, count: 3 * count)
    let behind = Int(ground.rawValue)
    for place in 0..<count {
      let alpha = Int(values[4 * place + 3])
      for channel in 0..<3 {
        let mixed = Int(values[4 * place + channel]) * alpha + behind * (255 - alpha)
        pixels[3 * place + channel] = UInt8((mixed + 127) / 255)
      }
    }
    let stored = Picture(width: width, height: height, pixels: pixels)
    self = isPNG ? stored : Orientation(ofJPEG: file).applied(to: stored)
  }
}
