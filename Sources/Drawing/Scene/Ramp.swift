/// How the numbers of one picture become colours.
///
/// Amounts go from nothing, near the background, to the darkest (in the dark, the brightest). As
/// soon as numbers below 0 can occur, both signs have a colour of their own, and 0 is neutral: the
/// same two colours in drawings, heat maps and bars.
struct Ramp: Hashable, Sendable {
  /// The numbers at both ends.
  let range: ClosedRange<Double>

  /// A ramp whose ends are given.
  init(_ range: ClosedRange<Double>) { self.range = range }

  /// From 0 to the greatest of `values`; where one of them is below 0, as far to both of its sides.
  ///
  /// - Parameters:
  ///   - values: the numbers; those that are not finite do not count.
  ///   - least: how far it goes at least.
  init(over values: some Sequence<Double>, least: Double = 0) {
    var low = 0.0, high = least
    for value in values where value.isFinite {
      low = min(low, value)
      high = max(high, value)
    }
    let limit = max(-low, high) > 0 ? max(-low, high) : 1
    range = (low < 0 ? -limit : 0)...limit
  }

  /// The colours.
  var scale: Scale { range.lowerBound < 0 ? .balance : .amount }

  /// The step of the scale for a number.
  func step(of value: Double) -> Int {
    // Halved, since the difference of the largest numbers is beyond all of them.
    let width = range.upperBound / 2 - range.lowerBound / 2
    return Scale.step(of: width > 0 ? (value / 2 - range.lowerBound / 2) / width : 0)
  }

  /// The colour of a number, and that of text on it.
  func look(of value: Double) -> (fill: Paint, ink: Paint) {
    guard !value.isNaN else { return (.token(.bad), .token(.ink)) }
    let step = step(of: value)
    return (.scale(scale, step), .onScale(scale, step))
  }

  /// The full colour of numbers that have the sign of `value`.
  static func sign(of value: Double) -> Paint { .scale(.balance, value < 0 ? 0 : Scale.steps - 1) }
}
