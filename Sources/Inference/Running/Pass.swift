import CForward
import StableDiffusion
import Tensors

/// One run through a network, or a plan of one.
///
/// Modules tell it what they do, so that it can time, trace, check or only count.
final class Pass {
  /// What is wanted besides the result.
  struct Observation {
    /// Whether nothing is computed: shapes, operations and memory are counted only.
    var isPlanned = false
    /// The modules whose results are kept.
    var traced: [Glob] = []
    /// Whether time is taken.
    var isTimed = false
    /// Whether every result is searched for NaN and infinity.
    var isChecked = false
    /// Whether a line is kept for every module.
    var isListed = false
  }

  let runtime: Runtime
  let observation: Observation
  let type: cf_type
  /// What has been kept so far, in the order of the pass.
  private(set) var trace: [TracedActivation] = []
  private(set) var profile = Profile()
  private(set) var modules: [ModuleShapes] = []
  /// The first module with a result that is not finite.
  private(set) var firstNonFinite: String?
  private var blocks: [String] = []

  init(_ runtime: Runtime, _ observation: Observation) {
    self.runtime = runtime
    self.observation = observation
    type = runtime.precision.activationType
  }

  /// The bytes of one value.
  var valueSize: Int { type == CF_F32 ? 4 : 2 }

  /// Room for an activation.
  func tensor(_ extent: Extent, isImage: Bool) throws(Fault) -> Tensor {
    let memory = try runtime.arena.memory(
      extent.count * valueSize, isPlanned: observation.isPlanned)
    return Tensor(extent: extent, isImage: isImage, memory: memory, pass: self)
  }

  /// Computes, unless only planned, and notes how long it takes.
  ///
  /// - `kind`: what is computed.
  /// - `operations`: the floating-point operations that the definition has.
  func run(
    _ kind: OperationKind, operations: Double = 0, _ body: () throws(Fault) -> Void
  ) throws(Fault) {
    if observation.isPlanned {
      profile.add(kind, seconds: 0, operations: operations, block: blocks.last)
      return
    }
    guard observation.isTimed else { return try body() }
    let start = monotonicSeconds()
    try body()
    profile.add(
      kind, seconds: monotonicSeconds() - start, operations: operations, block: blocks.last)
  }

  /// Computes by a loop, which returns 0 if it could.
  func loop(
    _ kind: OperationKind, operations: Double = 0, _ body: () -> Int32
  ) throws(Fault) {
    try run(kind, operations: operations) { () throws(Fault) in try runtime.check(body()) }
  }

  /// Whether the result of the module at `path` is wanted as it is, before what follows it.
  func isTraced(_ path: ModulePath) -> Bool {
    guard !observation.traced.isEmpty else { return false }
    let names = [TensorName(path.diffusers), TensorName(path.ldm)]
    return observation.traced.contains { glob in names.contains { glob.matches($0) } }
  }

  /// Notes that the module at `path` made `output` of `inputs`.
  func note(
    _ path: ModulePath, _ className: String, _ inputs: [[Int]], _ output: Tensor,
    operations: Double
  ) throws(Fault) {
    if observation.isListed {
      modules.append(
        ModuleShapes(
          path: path, className: className, inputs: inputs, output: output.shape,
          operations: operations, depth: blocks.count))
    }
    guard !observation.isPlanned else { return }
    if isTraced(path) {
      trace.append(TracedActivation(path: path, value: try output.values()))
    }
    if observation.isChecked, firstNonFinite == nil, output.nonFiniteCount > 0 {
      firstNonFinite = path.diffusers
    }
  }

  /// Computes a module that consists of others.
  func block(
    _ label: ModuleLabel, _ input: Tensor, _ body: () throws(Fault) -> Tensor
  ) throws(Fault) -> Tensor {
    let position = modules.count
    let before = profile.operations
    let shape = input.shape
    blocks.append(label.className)
    let output: Tensor
    do throws(Fault) {
      output = try body()
    } catch {
      blocks.removeLast()
      throw error
    }
    blocks.removeLast()
    try note(
      label.path, label.className, [shape], output, operations: profile.operations - before)
    // A block stands before what is in it.
    if observation.isListed, let own = modules.popLast() { modules.insert(own, at: position) }
    return output
  }

  /// Computes a module that consists of others, and adds `residual`, which is no part of it.
  ///
  /// - `body`: gets the residual if it is to be added on the way, which costs nothing.
  func block(
    _ label: ModuleLabel, _ input: Tensor, adding residual: Tensor,
    _ body: (Tensor?) throws(Fault) -> Tensor
  ) throws(Fault) -> Tensor {
    let isTraced = isTraced(label.path)
    let output = try block(label, input) { () throws(Fault) in
      try body(isTraced ? nil : residual)
    }
    return isTraced ? try output.adding(residual) : output
  }
}

/// A module's activation that was asked for.
struct TracedActivation {
  let path: ModulePath
  let value: FloatArray
}
