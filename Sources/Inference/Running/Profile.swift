import Glibc
public import StableDiffusion

/// What is computed, as a profile groups it.
public enum OperationKind: String, CaseIterable, Sendable {
  case conv3x3 = "convolution 3×3"
  case conv1x1 = "convolution 1×1"
  case linear = "linear"
  case attention = "attention"
  case groupNorm = "GroupNorm"
  case layerNorm = "LayerNorm"
  case gate = "GEGLU gate"
  case other = "other"
}

/// Where the time of a pass went.
public struct Profile: Sendable {
  /// Time and floating-point operations.
  public struct Entry: Sendable {
    /// Seconds.
    public internal(set) var seconds = 0.0
    /// Floating-point operations by the definition, whatever the algorithm saves.
    public internal(set) var operations = 0.0
    /// How often it was done.
    public internal(set) var count = 0
  }

  /// By kind of operation.
  public private(set) var kinds: [OperationKind: Entry] = [:]
  /// By class of the innermost block around it.
  public private(set) var blocks: [String: Entry] = [:]

  /// All seconds.
  public var seconds: Double { kinds.values.reduce(0) { $0 + $1.seconds } }
  /// All floating-point operations.
  public private(set) var operations = 0.0

  mutating func add(_ kind: OperationKind, seconds: Double, operations: Double, block: String?) {
    func note(_ entry: inout Entry) {
      entry.seconds += seconds
      entry.operations += operations
      entry.count += 1
    }
    note(&kinds[kind, default: Entry()])
    note(&blocks[block ?? "–", default: Entry()])
    self.operations += operations
  }
}

/// What a module takes and gives.
public struct ModuleShapes: Sendable {
  /// Its path in both namings.
  public let path: ModulePath
  /// The name of its class.
  public let className: String
  /// The shapes of what goes in.
  public let inputs: [[Int]]
  /// The shape of what comes out.
  public let output: [Int]
  /// Floating-point operations by the definition.
  public let operations: Double
  /// How many blocks are around it.
  public let depth: Int
}

/// Seconds of a clock that is never set.
func monotonicSeconds() -> Double {
  var now = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
}
