public import Tensors

/// The size of a picture that the network makes.
public struct Resolution: Hashable, Sendable {
  /// The width in pixels.
  public let width: Int
  /// The height in pixels.
  public let height: Int

  /// The size that Stable Diffusion 1.5 was trained at.
  public static let standard = Resolution(512, 512)

  private init(_ width: Int, _ height: Int) {
    self.width = width
    self.height = height
  }

  /// Reads `WIDTHxHEIGHT`, or one number for a square.
  ///
  /// - Throws: ``Tensors/Rule/drawingResolution`` unless both are multiples of 64 from 64 to 8192.
  public init(_ text: String) throws(Fault) {
    let parts = text.lowercased().split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "x" || $0 == "×" }
    ).map { Int($0) }
    guard (1...2).contains(parts.count), text.utf8.count < 20,
      let width = parts.first ?? nil, let height = parts.last ?? nil,
      [width, height].allSatisfy({ (64...8192).contains($0) && $0 % 64 == 0 })
    else {
      throw Fault(
        .drawingResolution, "is no size that the network works at",
        expected: "WIDTHxHEIGHT, multiples of 64 from 64 to 8192",
        found: "'\(text.prefix(20))'", hint: "for example 512x512 or 512x768")
    }
    self.init(width, height)
  }
}

extension Resolution: CustomStringConvertible {
  /// `512×768`, width first.
  public var description: String { "\(width)×\(height)" }
}
