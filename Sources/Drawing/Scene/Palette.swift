/// The background that a picture is made for.
public enum Theme: String, CaseIterable, Sendable { case light, dark }

/// A colour of the sRGB space.
public struct Color: Hashable, Sendable {
  /// Red, green and blue, 0 to 255.
  public let red, green, blue: UInt8

  /// A colour from 24 bits, red highest.
  init(_ bits: UInt32) {
    red = UInt8(truncatingIfNeeded: bits >> 16)
    green = UInt8(truncatingIfNeeded: bits >> 8)
    blue = UInt8(truncatingIfNeeded: bits)
  }

  /// The spelling of CSS: `#0072b2`.
  public var css: String {
    func hexadecimal(_ value: UInt8) -> String {
      (value < 16 ? "0" : "") + String(value, radix: 16)
    }
    return "#" + hexadecimal(red) + hexadecimal(green) + hexadecimal(blue)
  }

  /// The relative luminance, 0 to 1.
  ///
  /// Source: WCAG 2.2, relative luminance.
  public var luminance: Double {
    func linear(_ value: UInt8) -> Double {
      let share = Double(value) / 255
      return share <= 0.04045 ? share / 12.92 : power((share + 0.055) / 1.055)
    }
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
  }

  /// The contrast ratio with another colour, 1 to 21.
  ///
  /// Source: WCAG 2.2, contrast ratio.
  public func contrast(with other: Color) -> Double {
    let (a, b) = (luminance, other.luminance)
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  /// A colour on the way from `a` to `b`.
  static func mix(_ a: Color, _ b: Color, _ share: Double) -> Color {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt32 {
      UInt32((Double(a) + share * (Double(b) - Double(a))).rounded())
    }
    return Color(mix(a.red, b.red) << 16 | mix(a.green, b.green) << 8 | mix(a.blue, b.blue))
  }
}

/// `x` to the power of 2.4, by `x² · x^(2/5)`, the fifth root by Newton's method.
///
/// The same bits on every machine, which the mathematics library does not promise.
private func power(_ x: Double) -> Double {
  let square = x * x
  var root = 1.0
  for _ in 0..<60 {
    root -= (root * root * root * root * root - square) / (5 * root * root * root * root)
  }
  return square * root
}

extension Theme {
  /// The colour of a paint; `nil` for none.
  public func color(of paint: Paint) -> Color? {
    switch paint {
    case .none: nil
    case .token(let token): color(of: token)
    case .scale(let scale, let step): color(of: scale, step: step)
    case .onScale(let scale, let step): ink(on: color(of: scale, step: step))
    }
  }

  /// The colour of a meaning.
  ///
  /// The strong colours are those of Okabe and Ito, which people with any colour vision tell apart,
  /// where need be darkened for contrast; the areas behind text are tints of them.
  public func color(of token: Token) -> Color {
    let pair: (light: UInt32, dark: UInt32) =
      switch token {
      case .canvas: (0xFFFFFF, 0x12161B)
      case .panel: (0xF4F6F9, 0x1A2027)
      case .card: (0xFFFFFF, 0x222A33)
      case .hairline: (0xD3DAE3, 0x37424F)
      case .edge: (0x7E8B9C, 0x8390A2)
      case .ink: (0x16202C, 0xE9EEF4)
      case .muted: (0x535F70, 0xA8B4C3)
      case .convolution: (0xCFE4F5, 0x17415F)
      case .residual: (0xCDEBDF, 0x12493A)
      case .attention: (0xFBDFC0, 0x5E3B12)
      case .resampling: (0xE4DAF2, 0x43325F)
      case .linear: (0xF3DCE8, 0x592B45)
      case .embedding: (0xF7EEB8, 0x4F4612)
      case .normalization: (0xE3E8EE, 0x343E4A)
      case .groupNorm: (0x0072B2, 0x56B4E9)
      case .layerNorm: (0xC14F00, 0xF0A63A)
      case .absent: (0xE9ECF0, 0x2A323C)
      case .good: (0xC6EBDD, 0x0F4A39)
      case .note: (0xCFE4F5, 0x17415F)
      case .warning: (0xFBE3A6, 0x5F4A05)
      case .bad: (0xF8C9B4, 0x75300D)
      case .series: (0x0072B2, 0x56B4E9)
      }
    return Color(self == .light ? pair.light : pair.dark)
  }

  /// The colour of a step on a scale.
  public func color(of scale: Scale, step: Int) -> Color {
    let stops: [UInt32] =
      switch (scale, self) {
      // Luminance falls (rises) steadily, and hue goes from yellow to blue: as cividis does.
      case (.amount, .light): [0xF1F3F5, 0xF6E8A6, 0x9CCBA5, 0x3E8FB0, 0x1D4E89, 0x12264F]
      case (.amount, .dark): [0x262E38, 0x28456B, 0x2F7396, 0x5DA893, 0xC9CF6E, 0xFFF3A3]
      // What is above 0 ends in the blue of everything that is measured.
      case (.balance, .light): [0xC14F00, 0xF2B27A, 0xF0F1F3, 0x7FB5DC, 0x0072B2]
      case (.balance, .dark): [0xF0A63A, 0x955A1D, 0x2B333D, 0x2E6A94, 0x56B4E9]
      }
    let position =
      Double(min(max(step, 0), Scale.steps - 1)) / Double(Scale.steps - 1)
      * Double(stops.count - 1)
    let index = min(Int(position), stops.count - 2)
    return .mix(Color(stops[index]), Color(stops[index + 1]), position - Double(index))
  }

  /// Whichever of black and white ink is more legible on `background`.
  func ink(on background: Color) -> Color {
    // Only with pure black and white there is a legible ink for every background.
    let dark = Color(0x000000), light = Color(0xFFFFFF)
    return background.contrast(with: dark) >= background.contrast(with: light) ? dark : light
  }
}
