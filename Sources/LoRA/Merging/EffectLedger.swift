public import StableDiffusion
import Synchronization
public import Tensors

/// What was done to each tensor, block of rows by block of rows.
///
/// A block that is computed again replaces its former account, and sums follow the order of the
/// rows: the report is the same for every order of reading.
final class EffectLedger: Sendable {
  private struct Account {
    var effects: [Int: ChangeEffect] = [:]
    var clamped: [Int: Int] = [:]
  }

  private let accounts = Mutex<[Int: Account]>([:])

  func add(_ effect: ChangeEffect, _ tensor: Int, _ row: Int) {
    accounts.withLock { $0[tensor, default: Account()].effects[row] = effect }
  }

  func addClamped(_ count: Int, _ tensor: Int, _ row: Int) {
    accounts.withLock { $0[tensor, default: Account()].clamped[row] = count }
  }

  /// The sums of a tensor.
  func total(_ tensor: Int) -> (effect: ChangeEffect, clamped: Int) {
    accounts.withLock { accounts in
      guard let account = accounts[tensor] else { return (ChangeEffect(), 0) }
      var sum = ChangeEffect()
      for row in account.effects.keys.sorted() {
        if let effect = account.effects[row] { sum.add(effect) }
      }
      return (sum, account.clamped.values.reduce(0, +))
    }
  }
}

/// What a merge did to one tensor, known once it has been read.
public struct TensorEffect: Sendable {
  /// The tensor of the model.
  public let tensor: TensorInfo
  /// Its layer.
  public let path: ModulePath
  /// Its place.
  public let place: Place
  /// The sums.
  package let effect: ChangeEffect
  /// The number of values that were too large and became the largest number.
  public let clampedCount: Int

  /// ‖ΔW‖, before rounding.
  public var changeNorm: Double { effect.changeSquares.squareRoot() }
  /// ‖W‖ before.
  public var baseNorm: Double { effect.baseSquares.squareRoot() }
  /// ‖ΔW‖ / ‖W‖; 0 where both are 0.
  public var ratio: Double {
    effect.baseSquares > 0 ? (effect.changeSquares / effect.baseSquares).squareRoot() : 0
  }
  /// The share of the change, by magnitude, in values whose stored form is another afterwards.
  public var survivingShare: Double {
    effect.changeSum > 0 ? effect.keptSum / effect.changeSum : 1
  }
}

extension LoRAMergedSource {
  /// What was done to each changed tensor that has been read, in the order of the model.
  public func tensorEffects() -> [TensorEffect] {
    plan.changes.keys.sorted().compactMap { index in
      guard case .parameter(let position) = plan.identity.uses[index] else { return nil }
      let parameter = plan.identity.schema.parameters[position]
      let total = effects.total(index)
      return TensorEffect(
        tensor: tensors[index], path: parameter.module, place: parameter.place,
        effect: total.effect, clampedCount: total.clamped)
    }
  }
}

extension TensorEffect {
  static func sum(_ effects: [TensorEffect]) -> ChangeEffect {
    var sum = ChangeEffect()
    for effect in effects { sum.add(effect.effect) }
    return sum
  }
}
