import CRaster
public import Tensors

extension Scene {
  /// The most pixels that are drawn: 256 MiB of memory.
  public static let maximumPixelCount = 1 << 26

  /// The picture as a PNG file, drawn from its SVG.
  ///
  /// - Parameters:
  ///   - theme: the background it is made for.
  ///   - scale: the pixels that one unit of the picture takes.
  /// - Returns: the bytes of the file.
  /// - Throws: ``Tensors/Rule/rasterLibrary`` where librsvg or cairo is not installed,
  ///   ``Tensors/Rule/rasterFailed`` when the picture is too large.
  public func png(theme: Theme, scale: Double = 2) throws(Fault) -> [UInt8] {
    let width = (canvas.width * scale).rounded(.up)
    let height = (canvas.height * scale).rounded(.up)
    guard scale > 0, width >= 1, height >= 1, width <= 32_767, height <= 32_767,
      width * height <= Double(Self.maximumPixelCount)
    else {
      throw Fault(
        .rasterFailed, "cannot be drawn at this scale",
        expected: "at most \(Self.maximumPixelCount) pixels, 32767 on a side",
        found: "\(width.coordinate) × \(height.coordinate)", hint: "give a smaller --scale")
    }
    let text = Array(svg(theme: theme).utf8CString)
    let paper = theme.color(of: .canvas)
    let background = UInt32(paper.red) << 16 | UInt32(paper.green) << 8 | UInt32(paper.blue)
    var message = [CChar](repeating: 0, count: 512)
    var start: UnsafeMutablePointer<UInt8>?
    var count = 0
    let code = unsafe cr_png(
      text, text.count - 1, CInt(width), CInt(height), background, &start, &count, &message,
      message.count)
    guard code == CR_DONE, let start = unsafe start else {
      let end = message.firstIndex(of: 0) ?? 0
      let reason = String(decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw code == CR_NO_LIBRARY
        ? Fault(
          .rasterLibrary, "PNG needs librsvg and cairo (\(reason))",
          hint: "install librsvg2-2 (apt-get install librsvg2-2), or choose --format svg")
        : Fault(.rasterFailed, "could not be drawn as PNG (\(reason))", hint: "try --format svg")
    }
    defer { unsafe cr_free(start) }
    return unsafe Array(UnsafeBufferPointer(start: start, count: count))
  }
}
