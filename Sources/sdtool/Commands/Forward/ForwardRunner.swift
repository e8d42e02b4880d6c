import Checkpoint
import Inference
import Prompts
import StableDiffusion
import Tensors

/// A tensor with its name.
typealias NamedArray = (name: String, value: FloatArray)

/// One component, loaded, with what it takes and gives by name.
struct ForwardRunner {
  private enum Loaded {
    case unet(UNetModel)
    case vae(VAEModel)
    case text(TextModel)
  }

  private let part: ForwardPart
  private let loaded: Loaded
  private let source: any TensorSource
  private let runtime: Runtime

  init(
    _ part: ForwardPart, _ source: any TensorSource, _ runtime: Runtime, isPlanned: Bool
  ) throws(Fault) {
    self.part = part
    self.source = source
    self.runtime = runtime
    switch part {
    case .unet: loaded = .unet(try UNetModel(source, runtime: runtime, isPlanned: isPlanned))
    case .vaeEncode, .vaeDecode:
      let parts: VAEModel.Parts = part == .vaeEncode ? .encoder : .decoder
      loaded = .vae(
        try VAEModel(source, runtime: runtime, parts: parts, isPlanned: isPlanned))
    case .text: loaded = .text(try TextModel(source, runtime: runtime, isPlanned: isPlanned))
    }
  }

  /// The bytes of the weights in memory.
  var weightByteCount: Int {
    switch loaded {
    case .unet(let model): model.weightByteCount
    case .vae(let model): model.weightByteCount
    case .text(let model): model.weightByteCount
    }
  }

  private var dimensions: Dimensions {
    switch loaded {
    case .unet(let model): model.dimensions
    case .vae(let model): model.dimensions
    case .text(let model): model.dimensions
    }
  }

  /// The inputs out of a file, or random ones.
  func inputs(
    _ given: ForwardTensors?, _ options: ForwardInputOptions
  ) throws(Fault) -> [NamedArray] {
    var inputs: [NamedArray] = []
    for name in part.inputs {
      if name == "timestep", let timestep = options.timestep {
        inputs.append((name, FloatArray([1], [timestep])))
      } else if !options.prompt.isEmpty, name == "tokens" || name == "context" {
        inputs.append((name, try prompted(name, options)))
      } else if let given {
        inputs.append((name, try given.array(name)))
      } else {
        inputs.append((name, random(name, options)))
      }
    }
    return inputs
  }

  /// What prompts become: tokens, or what the model's own text encoder makes of them.
  private func prompted(
    _ name: String, _ options: ForwardInputOptions
  ) throws(Fault) -> FloatArray {
    let encoder = PromptEncoder()
    warnOfCuts(encoder, options.prompt.map { ("prompt", $0) })
    let tokens = options.prompt.map { encoder.plainTokens(of: $0).chunks[0].tokens }
    guard name == "context" else {
      return FloatArray([tokens.count, tokens[0].count], tokens.joined().map { Float($0) })
    }
    return try TextModel(source, runtime: runtime)(tokens, clipSkip: options.clipSkip)
  }

  private func random(_ name: String, _ options: ForwardInputOptions) -> FloatArray {
    let d = dimensions, n = max(options.batch, options.prompt.count)
    let height = options.size.height, width = options.size.width
    switch name {
    case "timestep": return FloatArray([1], [500])
    case "tokens":
      var tokens = [Float](repeating: Float(d[.vocabulary] - 1), count: d[.positions])
      tokens[0] = Float(d[.vocabulary] - 2)
      return FloatArray([n, d[.positions]], (0..<n).flatMap { _ in tokens })
    case "context":
      return .random([n, d[.positions], d[.unetContext]], seed: options.seed &+ 1)
    case "image": return .random([n, d[.image], height, width], seed: options.seed)
    default:
      let channels = part == .unet ? d[.unetInput] : d[.latent]
      return .random([n, channels, height / 8, width / 8], seed: options.seed)
    }
  }

  /// Runs the component.
  func run(
    _ inputs: [NamedArray], _ options: ForwardInputOptions,
    observing observation: inout Observation
  ) throws(Fault) -> [NamedArray] {
    let values = inputs.map(\.value)
    switch loaded {
    case .unet(let unet):
      let noise = try unet(
        values[0], timesteps: values[1].values, context: values[2], observing: &observation)
      return [("noise", noise)]
    case .vae(let vae):
      guard part == .vaeEncode else {
        return [("image", try vae.decode(values[0], observing: &observation))]
      }
      let (mean, logVariance) = try vae.encode(values[0], observing: &observation)
      return [("mean", mean), ("log_variance", logVariance)]
    case .text(let text):
      let length = values[0].shape.last ?? 0
      guard length > 0 else {
        throw Fault(.badInput, "there are no tokens", expected: "[n, \(dimensions[.positions])]")
      }
      // What is no whole number, or far too large, is no token.
      let ids = values[0].values.map { Int(exactly: $0) ?? -1 }
      let tokens = stride(from: 0, to: ids.count, by: length).map { Array(ids[$0..<$0 + length]) }
      return [
        ("context", try text(tokens, clipSkip: options.clipSkip, observing: &observation))
      ]
    }
  }
}

/// The tensors of a file of inputs or expected outputs.
struct ForwardTensors {
  private let source: any TensorSource

  init(path: String) throws(Fault) { source = try openModel(path: path) }

  /// The names of all tensors, sorted.
  var names: [String] { source.tensors.map(\.name).sorted().map(\.string) }

  /// The tensor `name`.
  func array(_ name: String) throws(Fault) -> FloatArray {
    guard let index = source.tensors.firstIndex(where: { $0.name == TensorName(name) }) else {
      let near = nearest(to: name, in: names).map { "did you mean '\($0)'?" }
      throw Fault(
        .badInput, "has no tensor '\(name)'", path: source.path,
        found: names.prefix(5).joined(separator: ", "), hint: near)
    }
    return try FloatArray(source, index)
  }

  /// Compares every tensor of the file that is not among the inputs.
  func compare(
    _ outputs: [NamedArray], without inputs: [String]
  ) throws(Fault) -> [ForwardComparison] {
    var comparisons: [ForwardComparison] = []
    for name in names where !inputs.contains(name) || outputs.contains(where: { $0.name == name }) {
      let expected = try array(name)
      guard let found = outputs.last(where: { $0.name == name })?.value else {
        comparisons.append(ForwardComparison(name: name, shape: expected.shape, result: .missing))
        continue
      }
      // PyTorch leaves out axes of one position here and there.
      guard expected.shape.filter({ $0 != 1 }) == found.shape.filter({ $0 != 1 }) else {
        comparisons.append(
          ForwardComparison(name: name, shape: expected.shape, result: .misshapen(found.shape)))
        continue
      }
      let difference = Difference(of: found.reshaped(expected.shape), from: expected)
      comparisons.append(
        ForwardComparison(name: name, shape: expected.shape, result: .compared(difference)))
    }
    return comparisons
  }
}

/// How one tensor compares with what is expected.
struct ForwardComparison {
  enum Result {
    case compared(Difference)
    case misshapen([Int])
    case missing
  }

  let name: String
  let shape: [Int]
  let result: Result

  func isWithin(_ tolerance: Double) -> Bool {
    guard case .compared(let difference) = result else { return false }
    return difference.inDeviations <= tolerance
  }
}
