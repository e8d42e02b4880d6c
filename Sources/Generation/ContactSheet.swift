public import Pictures
public import Tensors

/// Pictures in rows and columns with labels: what the web UIs call an X/Y plot.
public struct ContactSheet: Sendable {
  /// What stands above the columns.
  public var columns: [String]
  /// What stands before the rows; empty if there is one row without a label.
  public var rows: [String]
  /// The pictures, row by row.
  public var pictures: [Picture]

  /// A sheet of pictures that all have one size.
  public init(columns: [String], rows: [String], pictures: [Picture]) {
    precondition(pictures.count == columns.count * max(1, rows.count))
    self.columns = columns
    self.rows = rows
    self.pictures = pictures
  }

  private static let gap = 8

  /// The size of the sheet for cells of a size.
  private func layout(_ width: Int, _ height: Int) -> (left: Int, top: Int, scale: Int) {
    // Letters grow with the cells, as far as a glance at the whole sheet needs.
    let scale = min(4, max(1, width / 160))
    let widest = rows.map { BitmapText($0, scale: scale).width }.max() ?? 0
    let left = widest == 0 ? 0 : min(widest, max(width / 2, 48)) + Self.gap
    return (left + Self.gap, 8 * scale + 2 * Self.gap, scale)
  }

  /// Draws the sheet.
  ///
  /// - Throws: ``Tensors/Rule/imageSize`` if it would be too large.
  public func drawn() throws(Fault) -> Picture {
    guard let first = pictures.first else { return Picture(width: 8, height: 8) }
    let (left, top, scale) = layout(first.width, first.height)
    let width = left + columns.count * (first.width + Self.gap)
    let height = top + max(1, rows.count) * (first.height + Self.gap)
    guard width <= Picture.maximumPixelCount / height else {
      throw Fault(
        .imageSize, "the sheet is too large",
        expected: "at most \(Picture.maximumPixelCount) pixels", found: "\(width) × \(height)",
        hint: "choose fewer or smaller pictures")
    }
    var sheet = Picture(width: width, height: height)
    for (column, label) in columns.enumerated() {
      let x = left + column * (first.width + Self.gap)
      let text = BitmapText(label, scale: scale).fitted(to: first.width)
      text.draw(
        in: &sheet, atX: x + (first.width - text.width) / 2, y: Self.gap, shade: 32)
    }
    for (row, label) in rows.enumerated() {
      let y = top + row * (first.height + Self.gap)
      let text = BitmapText(label, scale: scale).fitted(to: left - 2 * Self.gap)
      text.draw(
        in: &sheet, atX: left - Self.gap - text.width,
        y: y + (first.height - text.height) / 2, shade: 32)
    }
    for (index, picture) in pictures.enumerated() {
      sheet.draw(
        picture, atX: left + index % columns.count * (first.width + Self.gap),
        y: top + index / columns.count * (first.height + Self.gap))
    }
    return sheet
  }
}
