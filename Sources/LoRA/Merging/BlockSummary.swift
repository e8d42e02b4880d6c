public import StableDiffusion
import Tensors

/// What a merge does at one place of the network.
public struct BlockSummary: Sendable {
  /// The place.
  public let place: Place
  /// The number of changed tensors.
  public let tensorCount: Int
  /// ‖ΔW‖ / ‖W‖ over all of them; 0 where nothing was read.
  public let ratio: Double
  /// The share of the change that the stored type keeps.
  public let survivingShare: Double

  /// Summaries of all places where anything changes, in network order.
  public static func all(_ effects: [TensorEffect]) -> [BlockSummary] {
    Place.allCases.compactMap { place in
      let own = effects.filter { $0.place == place }
      guard !own.isEmpty else { return nil }
      let sum = TensorEffect.sum(own)
      return BlockSummary(
        place: place, tensorCount: own.count,
        ratio: sum.baseSquares > 0 ? (sum.changeSquares / sum.baseSquares).squareRoot() : 0,
        survivingShare: sum.changeSum > 0 ? sum.keptSum / sum.changeSum : 1)
    }
  }

  /// Over everything: ‖ΔW‖ / ‖W‖ of what changes, and the share that the stored types keep.
  public static func whole(_ effects: [TensorEffect]) -> (ratio: Double, survivingShare: Double) {
    let sum = TensorEffect.sum(effects)
    return (
      sum.baseSquares > 0 ? (sum.changeSquares / sum.baseSquares).squareRoot() : 0,
      sum.changeSum > 0 ? sum.keptSum / sum.changeSum : 1
    )
  }
}
