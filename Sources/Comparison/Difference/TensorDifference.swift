public import StableDiffusion
public import Tensors

/// How one tensor differs between two models.
public struct TensorDifference: Hashable, Sendable {
  /// What became of a tensor.
  public enum Status: String, CaseIterable, Sendable {
    /// Type and bytes are the same.
    case identical
    /// All values are the same numbers, stored in another way.
    case equal
    /// Values differ.
    case changed
    /// The shapes differ, so that values cannot be compared.
    case misshapen
    /// Only the first model has it.
    case onlyInA = "only-in-a"
    /// Only the second model has it.
    case onlyInB = "only-in-b"
  }

  /// Its name in a single-file checkpoint; for what is no part of the network, its own.
  public let name: TensorName
  /// The tensor in the first model.
  public let a: TensorInfo?
  /// The tensor in the second model.
  public let b: TensorInfo?
  /// Where merge recipes find it; `nil` for what is no part of the network.
  public let place: Place?
  /// Its part of the network.
  public let component: Component?
  /// What its layer does.
  public let role: Role?
  /// Whether models are used without it: token positions, moving averages, noise schedules.
  public let isOptional: Bool
  /// What became of it.
  public internal(set) var status: Status
  /// What comparing its values found; `nil` where they were not compared.
  ///
  /// Types of which the values cannot be looked at (F4, F6, C64) are compared by bytes only.
  public internal(set) var measures: DifferenceMeasures?

  /// Whether both models have it, in different types.
  public var changesType: Bool {
    guard let a, let b else { return false }
    return a.dtype != b.dtype
  }

  /// Whether both models have it with axes that are written differently.
  ///
  /// A 1×1 convolution and a matrix of the same values are so, and are compared.
  public var changesShape: Bool {
    guard let a, let b else { return false }
    return a.shape != b.shape
  }

  /// Whether the models use different names for it.
  public var isRenamed: Bool {
    guard let a, let b else { return false }
    return a.name != b.name
  }

  /// Whether it differs more than `tolerance` allows.
  ///
  /// What only one model has, or in another shape, differs, unless models are used without it. What
  /// both have differs if its relative L2 distance is greater than `tolerance`, if NaN or infinities
  /// are in other numbers, or if values differ that have no such distance. The type alone is no
  /// difference.
  public func exceeds(_ tolerance: Double) -> Bool {
    switch status {
    case .identical, .equal: return false
    case .onlyInA, .onlyInB: return !isOptional
    case .misshapen: return true
    case .changed:
      guard let measures, let distance = measures.relativeL2 else { return true }
      return distance > tolerance || measures.nanCountA != measures.nanCountB
        || measures.infinityCountA != measures.infinityCountB
    }
  }

  /// The number of values, in the first model that has it.
  public var elementCount: Int { (a ?? b)?.elementCount ?? 0 }
}

/// Several tensors taken together: a place, a component, a role, or a whole model.
public struct DifferenceGroup: Hashable, Sendable {
  /// How many tensors either model has.
  public private(set) var tensorCount = 0
  /// How many values they have, each counted in the first model that has the tensor.
  public private(set) var elementCount = 0
  /// How many tensors are of each status, by ``TensorDifference/Status``.
  public private(set) var counts: [TensorDifference.Status: Int] = [:]
  /// How many tensors are in different types.
  public private(set) var typeChangeCount = 0
  /// The measures of all tensors that were compared, identical ones too; not of optional ones.
  public private(set) var measures = DifferenceMeasures()

  /// No tensors.
  public init() {}

  /// The tensors of that status.
  public subscript(status: TensorDifference.Status) -> Int { counts[status] ?? 0 }

  /// Whether all tensors are there in both models, in the same type and bytes.
  public var isIdentical: Bool { self[.identical] == tensorCount }

  /// Includes a tensor.
  public mutating func append(_ tensor: TensorDifference) {
    tensorCount += 1
    elementCount = elementCount.addingReportingOverflow(tensor.elementCount).partialValue
    counts[tensor.status, default: 0] += 1
    if tensor.changesType { typeChangeCount += 1 }
    // Token positions, which are numbers up to 76, would drown all weights.
    if let found = tensor.measures, !tensor.isOptional { measures.append(found) }
  }
}
