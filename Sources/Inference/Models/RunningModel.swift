import CForward
import StableDiffusion
public import Tensors

/// What to observe while a model runs, and what was observed.
///
///     var observation = Observation()
///     observation.trace = [Glob("*.attn2")]
///     let noise = try unet(latent, timesteps: [500], context: context, observing: &observation)
///     for (path, value) in observation.activations { print(path, value.shape) }
public struct Observation: Sendable {
  /// The modules whose results are kept, by their path in either naming.
  public var trace: [Glob] = []
  /// Whether time is taken.
  public var isTimed = false
  /// Whether nothing is computed: shapes and operations only.
  ///
  /// The result is zeros.
  public var isPlanned = false

  /// The results of traced modules by their path in diffusers, in the order of the pass.
  public internal(set) var activations: [(path: String, value: FloatArray)] = []
  /// Where the time went, if it was taken; operations in any case.
  public internal(set) var profile = Profile()
  /// What every module took and gave, if nothing was computed.
  public internal(set) var modules: [ModuleShapes] = []
  /// The most bytes of activations at a time.
  public internal(set) var activationByteCount = 0

  /// Nothing but the result.
  public init() {}
}

/// What the models have in common: a network with weights in memory, and how it is run.
struct RunningModel<Network: Sendable>: Sendable {
  let dimensions: Dimensions
  let weights: LoadedWeights
  let network: Network
  private let runtime: Runtime
  private let component: Component
  private let path: String

  /// Loads a component, but for the weights that it has in common with `kept`.
  init(
    _ source: any TensorSource, _ component: Component, runtime: Runtime,
    keeping kept: inout LoadedWeights, isWanted: @Sendable (Parameter) -> Bool,
    network: (Dimensions, @escaping (Parameter) -> Weight) -> Network
  ) throws(Fault) {
    let loading = try WeightLoading(source, component, runtime.precision)
    dimensions = loading.dimensions
    weights = try LoadedWeights(loading, keeping: &kept, for: runtime, isWanted: isWanted)
    var next = weights.weights.makeIterator()
    self.network = network(dimensions) { next.next() ?? Weight($0, isPresent: false) }
    self.runtime = runtime
    self.component = component
    path = source.path
  }

  /// Runs `body`, twice if the first result is not finite, to find the module to blame.
  func run(
    _ observation: inout Observation, isFinite: (FloatArray) -> Bool = \.isFinite,
    _ body: (Pass) throws(Fault) -> FloatArray
  ) throws(Fault) -> FloatArray {
    var wanted = Pass.Observation()
    wanted.traced = observation.trace
    wanted.isTimed = observation.isTimed
    wanted.isPlanned = observation.isPlanned
    wanted.isListed = observation.isPlanned
    let planned = observation.isPlanned
    var seen = observation
    let runtime = self.runtime
    nonisolated(unsafe) let body = body
    let output: FloatArray
    do throws(Fault) {
      let result = try runtime.exclusively { () throws(Fault) -> (FloatArray, Observation) in
        if !planned { try unsafe checkMemory(body) }
        runtime.arena.restart()
        let pass = Pass(runtime, wanted)
        let output = try unsafe body(pass)
        seen.activations = pass.trace.map { ($0.path.diffusers, $0.value) }
        seen.profile = pass.profile
        seen.modules = pass.modules
        seen.activationByteCount = runtime.arena.peak
        if !planned, !output.isFinite { throw try unsafe blame(body) }
        return (output, seen)
      }
      (output, observation) = result
    } catch { throw error.at(path) }
    return output
  }

  /// Throws if the activations need more memory than there is.
  private func checkMemory(_ body: (Pass) throws(Fault) -> FloatArray) throws(Fault) {
    var plan = Pass.Observation()
    plan.isPlanned = true
    runtime.arena.restart()
    _ = try body(Pass(runtime, plan))
    let needed = runtime.arena.peak - runtime.arena.used
    // A quarter more for what does not fit into one another.
    runtime.arena.limit = needed + needed / 4
    guard let available = availableMemory(), needed > available else { return }
    throw Fault(
      .outOfMemory, "needs more memory than there is",
      expected: "\(needed >> 20) MiB for activations", found: "\(available >> 20) MiB",
      hint: "use a smaller size or batch, or --precision bf16")
  }

  /// Runs again, looking at every result.
  private func blame(_ body: (Pass) throws(Fault) -> FloatArray) throws(Fault) -> Fault {
    var check = Pass.Observation()
    check.isChecked = true
    let pass = Pass(runtime, check)
    _ = try body(pass)
    return Fault(
      .nonFiniteActivation, "gives NaN or infinity, the first module of the \(component.title)",
      tensor: TensorName(pass.firstNonFinite ?? component.title),
      hint: "look at its weights with 'sdtool validate'; the input may be to blame too")
  }
}

extension FloatArray {
  /// Whether no value is NaN or infinite.
  public var isFinite: Bool {
    unsafe values.withUnsafeBufferPointer {
      unsafe cf_count_nonfinite($0.baseAddress, CF_F32, $0.count) == 0
    }
  }

  /// Throws unless there are as many axes as `expected` has, each of that size; -1 fits any.
  func require(_ expected: [Int], _ what: String) throws(Fault) {
    let fits =
      shape.count == expected.count
      && zip(shape, expected).allSatisfy { $1 < 0 ? $0 > 0 : $0 == $1 }
    guard fits else {
      let text = expected.map { $0 < 0 ? "any" : "\($0)" }.joined(separator: ", ")
      throw Fault(
        .badInput, "the \(what) has the wrong shape", expected: "[\(text)]", found: "\(shape)")
    }
  }
}
