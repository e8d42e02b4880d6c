/// A point of a drawing, in pixels at a scale of 1, from the upper left corner.
public struct Point: Hashable, Sendable {
  /// To the right.
  public var x: Double
  /// Downwards.
  public var y: Double

  /// A point.
  public init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// A width and a height, in pixels at a scale of 1.
public struct Size: Hashable, Sendable {
  /// The extent to the right.
  public var width: Double
  /// The extent downwards.
  public var height: Double

  /// A size.
  public init(_ width: Double, _ height: Double) {
    self.width = width
    self.height = height
  }
}

/// A rectangle whose sides are parallel to the axes.
public struct Rect: Hashable, Sendable {
  /// The left edge.
  public var x: Double
  /// The upper edge.
  public var y: Double
  /// The extent to the right.
  public var width: Double
  /// The extent downwards.
  public var height: Double

  /// A rectangle by its upper left corner and its size.
  public init(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// The right edge.
  public var right: Double { x + width }
  /// The lower edge.
  public var bottom: Double { y + height }
  /// The middle from left to right.
  public var middleX: Double { x + width / 2 }
  /// The middle from top to bottom.
  public var middleY: Double { y + height / 2 }

  /// The rectangle without a margin on each side.
  public func inset(_ horizontal: Double, _ vertical: Double) -> Rect {
    Rect(x + horizontal, y + vertical, width - 2 * horizontal, height - 2 * vertical)
  }

  /// Whether `other` lies in it, edges included, give or take a hundredth of a pixel.
  public func contains(_ other: Rect) -> Bool {
    other.x >= x - 0.01 && other.y >= y - 0.01 && other.right <= right + 0.01
      && other.bottom <= bottom + 0.01
  }

  /// Whether the two have more than a hundredth of a pixel in common.
  public func overlaps(_ other: Rect) -> Bool {
    min(right, other.right) - max(x, other.x) > 0.01
      && min(bottom, other.bottom) - max(y, other.y) > 0.01
  }
}
