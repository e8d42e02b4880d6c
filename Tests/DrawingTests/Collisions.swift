import Drawing
import Foundation
import FoundationXML

extension Scene {
  /// What a viewer would see as a mistake: boxes that cut each other, texts on texts, texts that
  /// leave their box or the canvas.
  var collisions: [String] {
    var found: [String] = []
    var boxes: [Rect] = [], labels: [Label] = []
    for item in leaves {
      switch item {
      case .box(let box): boxes.append(box.frame)
      case .label(let label): if !label.text.isEmpty { labels.append(label) }
      case .line, .shape, .group: break
      }
    }
    let canvas = Rect(0, 0, size.width, size.height)
    for (index, a) in boxes.enumerated() {
      if !canvas.contains(a) { found.append("box \(a) leaves the canvas") }
      for b in boxes[(index + 1)...] where a.overlaps(b) && !a.contains(b) && !b.contains(a) {
        found.append("boxes \(a) and \(b)")
      }
    }
    for (index, label) in labels.enumerated() {
      let bounds = label.bounds
      if !canvas.contains(bounds) { found.append("'\(label.text)' leaves the canvas") }
      for other in labels[(index + 1)...] where bounds.overlaps(other.bounds) {
        found.append("'\(label.text)' and '\(other.text)'")
      }
      for box in boxes where box.overlaps(bounds) && !box.contains(bounds) {
        found.append("'\(label.text)' crosses the edge of \(box)")
      }
    }
    return found
  }
}

/// Whether a text is well-formed XML.
func isWellFormed(_ text: String) -> Bool {
  XMLParser(data: .init(text.utf8)).parse()
}
