import StableDiffusion
public import Tensors

/// What running every component of a model once at a small size shows.
///
///     let test = try SmokeTest(model, runtime: Runtime())
///     test.faults                                    // what does not work
///     test.differences(from: [("a", a), ("b", b)])   // what is unlike the models it was made of
///
/// One step of the U-Net on 128 × 128 pixels, where every weight takes part, a prompt, and a picture
/// of 64 × 64 pixels through both halves of the VAE.
public struct SmokeTest: Sendable {
  /// How large the numbers of one output are.
  public struct Measure: Hashable, Sendable {
    /// What it is, for example `predicted noise`.
    public let name: String
    /// The folder of its component in diffusers' layout.
    public let component: String
    /// The standard deviation.
    public let deviation: Double
    /// The greatest distance from zero.
    public let largest: Double
  }

  /// What is wrong: numbers that are not finite or not plausible, and what keeps a part from running.
  ///
  /// A component that is not there is not missed.
  public let faults: [Fault]
  /// The outputs of all components that ran.
  public let measures: [Measure]

  /// Runs a model.
  ///
  /// - Parameters:
  ///   - source: the model, in any layout and type.
  ///   - runtime: what to run it on.
  /// - Throws: ``Rule/notRunnable`` when it is no Stable Diffusion 1.x model.
  public init(_ source: any TensorSource, runtime: Runtime) throws(Fault) {
    let identity = ModelIdentity(source.tensors)
    guard identity.kind == .stableDiffusion1 else {
      // Says what it is instead.
      _ = try WeightLoading(source, .unet, runtime.precision)
      (faults, measures) = ([], [])
      return
    }
    var faults: [Fault] = []
    var measures: [Measure] = []
    for component in Component.allCases
    where identity[component] != nil || (component == .unet && identity.hasAveragesOnly) {
      do throws(Fault) {
        for result in try run(component, source, runtime) {
          if let fault = result.implausibility(in: component) { faults.append(fault) }
          measures.append(result.measure(in: component))
        }
      } catch { faults.append(error) }
    }
    self.faults = faults
    self.measures = measures
  }

  /// How much more or less the outputs of a merge may vary than those of all its inputs.
  static let ratio = 2.0

  /// The outputs that are much larger or smaller than those of all the models that it was made of.
  ///
  /// - Parameter inputs: those models, by names to call them by.
  /// - Returns: ``Rule/unlikeInputs`` for each such output.
  public func differences(from inputs: [(name: String, test: SmokeTest)]) -> [Fault] {
    var faults: [Fault] = []
    for measure in measures {
      let others = inputs.compactMap { input in
        input.test.measures.first { ($0.name, $0.component) == (measure.name, measure.component) }
          .map { (input.name, $0.deviation) }
      }
      guard let least = others.map(\.1).min(), let most = others.map(\.1).max(),
        measure.deviation > most * Self.ratio || measure.deviation * Self.ratio < least
      else { continue }
      let known = others.map { "\(Self.short($0.1)) in \($0.0)" }.joined(separator: ", ")
      faults.append(
        Fault(
          .unlikeInputs, "varies unlike in the models it was made of: the \(measure.name)",
          tensor: TensorName(measure.component), expected: known,
          found: "a deviation of \(Self.short(measure.deviation))",
          hint: "look at the weights of the merge; extreme ones let activations grow or vanish"))
    }
    return faults
  }

  /// Three digits after the point.
  private static func short(_ value: Double) -> String {
    guard value.isFinite, value < 1e9 else { return "\(value)" }
    return "\((value * 1000).rounded() / 1000)"
  }
}

/// What a component gave, and how far from zero it may be.
private struct SmokeResult {
  let name: String
  let value: FloatArray
  let limit: Float

  func measure(in component: Component) -> SmokeTest.Measure {
    let count = Double(max(1, value.values.count))
    let mean = value.values.reduce(0.0) { $0 + Double($1) } / count
    let squares = value.values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    return SmokeTest.Measure(
      name: name, component: component.folder, deviation: (squares / count).squareRoot(),
      largest: value.values.reduce(0.0) { max($0, abs(Double($1))) })
  }

  /// A finding if the values are too large, or all the same.
  func implausibility(in component: Component) -> Fault? {
    let least = value.values.min() ?? 0, most = value.values.max() ?? 0
    let largest = max(-least, most)
    if largest > limit {
      return Fault(
        .implausibleActivation, "gives values that are far too large: the \(name)",
        tensor: TensorName(component.folder), expected: "at most \(Int(limit))",
        found: "\(largest)")
    }
    guard least == most else { return nil }
    return Fault(
      .implausibleActivation, "gives the same value everywhere: the \(name)",
      tensor: TensorName(component.folder), found: "\(least)")
  }
}

private func run(
  _ component: Component, _ source: any TensorSource, _ runtime: Runtime
) throws(Fault) -> [SmokeResult] {
  switch component {
  case .textEncoder:
    let text = try TextModel(source, runtime: runtime)
    let last = text.dimensions[.vocabulary] - 1
    let length = text.dimensions[.positions]
    let prompt = [last - 1, 320 % max(1, last)] + Array(repeating: last, count: max(0, length - 2))
    let context = try text([Array(prompt.prefix(length))])
    return [SmokeResult(name: "encoded prompt", value: context, limit: 1_000)]
  case .unet:
    let unet = try UNetModel(source, runtime: runtime)
    let context = FloatArray.random([1, 77, unet.dimensions[.unetContext]], seed: 1)
    // On fewer than 16 × 16 positions the lowest level has one, and eight of nine taps do nothing.
    let latent = FloatArray.random([1, unet.dimensions[.unetInput], 16, 16], seed: 2)
    let noise = try unet(latent, timesteps: [500], context: context)
    return [SmokeResult(name: "predicted noise", value: noise, limit: 1_000)]
  case .vae:
    let vae = try VAEModel(source, runtime: runtime)
    var image = FloatArray.random([1, vae.dimensions[.image], 64, 64], seed: 3)
    for index in image.values.indices { image.values[index] *= 0.3 }
    let (mean, _) = try vae.encode(image)
    let decoded = try vae.decode(mean)
    return [
      SmokeResult(name: "encoded picture", value: mean, limit: 10_000),
      SmokeResult(name: "decoded picture", value: decoded, limit: 1_000),
    ]
  }
}
