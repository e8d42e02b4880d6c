import Tensors

/// Finds the widths of a network in the shapes of its tensors, whichever are there.
///
/// Each extent of a parameter that is a multiple of one width is a vote for that width; the value
/// with most votes wins, so that missing and misshapen tensors do not matter as long as most are
/// right. Which extent tells which width is read off a network whose widths are different primes.
struct WidthElection {
  /// An axis of a parameter that tells a width.
  private struct Site: Sendable {
    let axis: Int
    let width: Dimensions.Width
    let multiple: Int
  }

  /// By position in ``Schema/complete``.
  private static let sites: [[Site]] = Schema.complete.parameters.map { parameter in
    parameter.shape.enumerated().compactMap { axis, extent in
      guard extent > 1_000 else { return nil }
      for width in Dimensions.Width.allCases {
        let (multiple, rest) = extent.quotientAndRemainder(dividingBy: Dimensions.primes[width])
        if rest == 0, multiple <= 8 { return Site(axis: axis, width: width, multiple: multiple) }
      }
      return nil
    }
  }

  private var votes = [[Int: Int]](repeating: [:], count: Dimensions.Width.allCases.count)

  /// Takes the votes of a tensor that is called like `parameter` of ``Schema/complete``.
  mutating func count(_ shape: [Int], for parameter: Int) {
    let expected = Schema.complete.parameters[parameter].shape
    // A 1×1 convolution and a matrix differ in rank only.
    guard
      shape.count == expected.count || (shape.count == 2 && expected.count == 4)
        || (shape.count == 4 && expected.count == 2)
    else { return }
    for site in Self.sites[parameter] where site.axis < shape.count {
      let (value, rest) = shape[site.axis].quotientAndRemainder(dividingBy: site.multiple)
      guard rest == 0, (1...Dimensions.maximum).contains(value) else { continue }
      votes[site.width.rawValue][value, default: 0] += 1
    }
  }

  /// Whether any tensor told `width`.
  func knows(_ width: Dimensions.Width) -> Bool { !votes[width.rawValue].isEmpty }

  /// The winner for each width; those of Stable Diffusion 1.5 where nothing was told.
  var dimensions: Dimensions {
    var dimensions = Dimensions.sd15
    for width in Dimensions.Width.allCases {
      let usual = Dimensions.sd15[width]
      let winner = votes[width.rawValue].max { a, b in
        // Of equals, the usual width, then the smallest.
        (a.value, a.key == usual ? 1 : 0, -a.key) < (b.value, b.key == usual ? 1 : 0, -b.key)
      }
      if let winner { dimensions[width] = winner.key }
    }
    return dimensions
  }
}
