/// How wide text is in the widest of the fonts that pictures name.
///
/// A picture may be shown with another font than it was made with, so boxes leave room for the
/// widest: DejaVu Sans, which Linux falls back on. Nothing is measured with an installed font, so
/// that the same scene has the same bytes everywhere.
///
/// Source: advances of DejaVu Sans 2.37 and Liberation Sans 2, the larger of both.
public enum FontMetrics {
  /// The fonts, the preferred first.
  public static let families =
    "Inter, 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"

  /// The width of `text` in pixels.
  public static func width(of text: String, _ style: TextStyle) -> Double {
    let advances = style.isBold ? bold : regular
    var thousandths = 0
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 32..<127: thousandths += advances[Int(scalar.value) - 32]
      // Latin, Greek and the signs that the program itself writes.
      case 127..<0x2E80: thousandths += style.isBold ? 910 : 840
      // East Asian letters and emoji.
      default: thousandths += 1_200
      }
    }
    return Double(thousandths) / 1_000 * style.size
  }

  /// The text in at most `limit` pixels, its middle replaced by `…` where it is longer.
  public static func fitted(_ text: String, _ style: TextStyle, to limit: Double) -> String {
    guard width(of: text, style) > limit else { return text }
    // A text that is far too long is cut before it is measured again and again.
    let characters = Array(text.prefix(400))
    var low = 0, high = characters.count
    func shortened(_ count: Int) -> String {
      let head = (count + 1) / 2
      return String(characters.prefix(head)) + "…" + String(characters.suffix(count - head))
    }
    while low < high {
      let middle = (low + high + 1) / 2
      if width(of: shortened(middle), style) <= limit { low = middle } else { high = middle - 1 }
    }
    return shortened(low)
  }

  private static let regular = [
    318, 401, 460, 838, 637, 951, 780, 275, 391, 391, 500, 838, 318, 361, 318, 337, 637, 637, 637,
    637, 637, 637, 637, 637, 637, 637, 337, 337, 838, 838, 838, 557, 1016, 685, 687, 723, 771,
    667, 611, 778, 752, 295, 500, 667, 558, 863, 749, 788, 667, 788, 723, 667, 611, 732, 685, 989,
    686, 667, 686, 391, 337, 391, 838, 557, 500, 613, 635, 550, 635, 616, 353, 635, 634, 278, 278,
    580, 278, 975, 634, 612, 635, 635, 412, 521, 393, 634, 592, 818, 592, 592, 525, 637, 337, 637,
    838,
  ]
  private static let bold = [
    349, 457, 521, 838, 696, 1002, 873, 307, 458, 458, 523, 838, 380, 416, 380, 366, 696, 696,
    696, 696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 611, 1000, 774, 763, 734,
    831, 684, 684, 821, 837, 373, 557, 775, 638, 996, 837, 851, 733, 851, 771, 721, 683, 813, 774,
    1104, 771, 725, 726, 458, 366, 458, 838, 557, 500, 675, 716, 593, 716, 679, 436, 716, 712,
    343, 343, 666, 343, 1042, 712, 688, 716, 716, 494, 596, 479, 712, 652, 924, 646, 652, 583,
    712, 366, 712, 838,
  ]
}
