/// How the steps of a picture are spread over the steps that a model was trained for.
///
/// Source: Lin et al. 2023 (2305.08891), table 2; numbers as diffusers computes them.
public enum TimestepSpacing: String, CaseIterable, Sendable {
  /// Multiples of a whole step from the bottom up, moved by an offset; ends below the noisiest.
  case leading
  /// Evenly from the noisiest to the first.
  case linspace
  /// Multiples of a step from the top down; begins at the noisiest, ends above the first.
  case trailing

  /// The time steps of `count` steps of `training`, the noisiest first.
  ///
  /// `offset` is added by ``leading``. With `spare`, one step more is laid out and the last left
  /// away, as multistep solvers do; with `whole`, ``linspace`` is rounded.
  func timesteps(
    count: Int, training: Int, offset: Int, spare: Bool, whole: Bool
  ) -> [Double] {
    let laidOut = count + (spare ? 1 : 0)
    switch self {
    case .leading:
      let ratio = training / laidOut
      return (0..<laidOut).reversed().prefix(count).map {
        Double(min($0 * ratio + offset, training - 1))
      }
    case .linspace:
      let all = evenly(0, Double(training - 1), count: laidOut).reversed().prefix(count)
      return all.map { whole ? $0.rounded(.toNearestOrEven) : $0 }
    case .trailing:
      let ratio = Double(training) / Double(count)
      return (0..<count).map {
        max(0, (Double(training) - Double($0) * ratio).rounded(.toNearestOrEven) - 1)
      }
    }
  }
}
