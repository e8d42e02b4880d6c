public import StableDiffusion
public import Tensors

/// What a user wants merged, and how.
public struct MergeRequest: Sendable {
  /// The formula.
  public var method: any MergeMethod
  /// Its parameters, where they do not differ from tensor to tensor.
  public var settings: MergeSettings
  /// α of every tensor.
  public var alpha: TensorWeights
  /// β of every tensor; that of ``settings`` if `nil`.
  public var beta: TensorWeights?
  /// What is done where the inputs leave a choice.
  public var policies = MergePolicies()
  /// How the result is stored.
  public var types = TypePolicy()
  /// Whether the last input is no part of the formula, but the model whose VAE the result has.
  public var bakesVAE = false
  /// Tells which tensors are left out, by name.
  public var discards: @Sendable (TensorName) -> Bool = { _ in false }

  /// A merge by `method`.
  public init(
    method: any MergeMethod, settings: MergeSettings, alpha: TensorWeights,
    beta: TensorWeights? = nil
  ) {
    self.method = method
    self.settings = settings
    self.alpha = alpha
    self.beta = beta
  }
}

/// How one tensor of the output comes about.
public enum MergeOperation: Sendable {
  /// It is an input's, perhaps stored as another type.
  case copy(MergeOperand)
  /// It is computed from one tensor of each input.
  case merge([MergeOperand], MergeSettings)
  /// Its first `channels` channels along axis 1 are computed, the others are those of `rest`.
  case mergeChannels([MergeOperand], MergeSettings, channels: Int, rest: MergeOperand)
  /// It is 0, 1, 2, … in 64-bit integers.
  case positions
}

/// One tensor of the output.
public struct PlannedTensor: Sendable {
  /// What a tensor is for, as far as a merge cares.
  public enum Purpose: Hashable, Sendable {
    /// A parameter of the network.
    case parameter(Component)
    /// The moving average of one.
    case average
    /// The token positions.
    case positions
    /// Something else whose purpose is known.
    case extra
    /// Something unknown.
    case unknown
  }

  /// Its name, type and shape in the output.
  public var info: TensorInfo
  /// What it is for.
  public let purpose: Purpose
  /// Where merge recipes find it; `nil` outside the network.
  public let place: Place?
  /// How it comes about.
  public var operation: MergeOperation
  /// The inputs that hold it.
  public let holders: [Int]
  /// What its type was in the first input that holds it.
  public let originalType: DType

  /// What is read for it.
  public var operands: [MergeOperand] {
    switch operation {
    case .copy(let operand): [operand]
    case .merge(let operands, _): operands
    case .mergeChannels(let operands, _, _, let rest):
      operands.contains(rest) ? operands : operands + [rest]
    case .positions: []
    }
  }
}

/// A tensor of an input that is not in the output.
public struct DroppedTensor: Hashable, Sendable {
  /// Why it is not.
  public enum Reason: String, Sendable {
    /// Another tensor of the same input is the same parameter.
    case repeated
    /// It belongs to nothing known, and `--unknown drop` was given.
    case unknown
    /// Its name fits what the user wants left out.
    case discarded
    /// Nothing that makes pictures reads it, and `--unknown drop` was given.
    case leftOver = "left-over"
  }

  /// The input.
  public let input: Int
  /// Its name there.
  public let name: TensorName
  /// Why it is left out.
  public let reason: Reason
}

/// Everything that a merge will do, known before any value is read.
///
///     let plan = MergePlan(inputs, request)
///     if let problem = plan.problems.first { throw problem }
///     let merged = try MergedSource(plan, width: 8)
public struct MergePlan: Sendable {
  /// The models.
  public let inputs: [MergeInput]
  /// What was asked for.
  public let request: MergeRequest
  /// The tensors of the output, in the order of the network, then by name.
  public internal(set) var tensors: [PlannedTensor]
  /// The tensors that are not in the output.
  public let dropped: [DroppedTensor]
  /// What makes the merge impossible.
  public let problems: [Fault]

  /// Plans a merge.
  ///
  /// What makes it impossible is in ``problems``, all of it; nothing is thrown.
  public init(_ inputs: [MergeInput], _ request: MergeRequest) {
    var planner = MergePlanner(inputs, request)
    planner.plan()
    self.inputs = inputs
    self.request = request
    tensors = planner.tensors
    dropped = planner.dropped
    problems = planner.problems
  }

  /// The same plan, with the tensors at `positions` stored as F32.
  public func storingSingles(_ positions: Set<Int>) -> MergePlan {
    var copy = self
    for position in positions {
      let info = tensors[position].info
      if let wide = try? TensorInfo(name: info.name, dtype: .f32, shape: info.shape) {
        copy.tensors[position].info = wide
      }
    }
    return copy
  }
}

extension MergePlan {
  /// The bytes of all tensors of the output.
  public var bytesToWrite: Int { tensors.reduce(0) { $0 &+ $1.info.byteCount } }

  /// The bytes that are read from input `index`; a surveying method reads what it merges twice.
  public func bytesToRead(from index: Int) -> Int {
    let isSurveyed = request.method.reach == .model
    return tensors.reduce(0) { total, tensor in
      let times: Int
      if case .merge = tensor.operation, isSurveyed { times = 2 } else { times = 1 }
      return tensor.operands.reduce(total) {
        guard $1.input == index else { return $0 }
        return $0 &+ times &* inputs[index].source.tensors[$1.tensor].byteCount
      }
    }
  }

  /// The bytes that are read from all inputs.
  public var bytesToRead: Int { inputs.indices.reduce(0) { $0 &+ bytesToRead(from: $1) } }

  /// An estimate of the memory that merging with `width` threads takes at most, in bytes.
  public func peakMemory(width: Int) -> Int {
    let threads = width == 1 ? 1 : 2 * width
    let operands = tensors.lazy.map(\.operands.count).max() ?? 0
    let program = 24 << 20
    let scratch = MergeScratch.byteCount(operands: operands)
    var whole = 0
    if request.method.reach != .elements {
      let most = tensors.lazy.filter(\.isMerged).map(\.info.elementCount).max() ?? 0
      let perElement =
        4 &* (operands + 2) &+ request.method.scratchBytesPerElement(inputs: operands)
      whole = most.multipliedReportingOverflow(by: perElement &* width).partialValue
    }
    return program &+ threads &* (1 << 20 &+ scratch) &+ whole
  }
}

extension PlannedTensor {
  /// Whether values are computed from several inputs.
  public var isMerged: Bool {
    switch operation {
    case .merge, .mergeChannels: true
    case .copy, .positions: false
    }
  }
}
