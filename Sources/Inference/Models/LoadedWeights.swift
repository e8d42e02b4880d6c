public import StableDiffusion
import Tensors

/// Weights in memory, from which a model that has some of them in common takes those.
///
///     var weights = LoadedWeights()
///     for model in models {
///       let unet = try UNetModel(model, runtime: runtime, keeping: &weights)
///       weights = unet.weights
///     }
///
/// Which ones they have in common follows from ``Tensors/TensorSource/origin(of:)``.
public struct LoadedWeights: Sendable {
  /// In network order, with what each follows from.
  private var entries: [(weight: Weight, origin: TensorOrigin?)] = []
  private var precision = Precision.f32
  /// The parameters whose values were read for the model rather than taken over.
  public private(set) var read: [Parameter] = []

  /// No weights.
  public init() {}

  /// The bytes that they take.
  var byteCount: Int { entries.reduce(0) { $0 + $1.weight.size } }

  /// All of them, in network order.
  var weights: [Weight] { entries.map(\.weight) }

  /// Reads the parameters for which `isWanted` holds, but for those that `kept` has already.
  ///
  /// `kept` is empty afterwards; what is not taken over is freed before anything is read.
  init(
    _ loading: WeightLoading, keeping kept: inout LoadedWeights, for runtime: Runtime,
    isWanted: @Sendable (Parameter) -> Bool
  ) throws(Fault) {
    let identity = loading.identity
    let positions = identity.schema.range(of: loading.component)
    let usesAverages = loading.component == .unet && identity.hasAveragesOnly
    let origins = positions.map { position in
      (usesAverages ? identity.average(of: position) : identity.tensor(of: position))
        .flatMap { loading.source.origin(of: $0) }
    }
    var found: [Parameter: Weight] = [:]
    if kept.entries.count == origins.count, kept.precision == loading.precision {
      for (entry, origin) in zip(kept.entries, origins)
      where origin != nil && entry.origin == origin && entry.weight.size > 0 {
        found[entry.weight.parameter] = entry.weight
      }
    }
    kept = LoadedWeights()
    let known = Set(found.keys)
    let loaded = try loading.weights(for: runtime) { !known.contains($0) && isWanted($0) }
    precision = loading.precision
    entries = zip(loaded, origins).map { (found[$0.parameter] ?? $0, $1) }
    read = loaded.lazy.filter { $0.size > 0 }.map(\.parameter)
  }
}
