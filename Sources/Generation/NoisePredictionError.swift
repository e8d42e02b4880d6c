public import Inference
public import Pictures
import Prompts
public import Sampling
public import Tensors

/// How well a model predicts the noise in pictures: its training loss at fixed seeds and steps.
///
/// The mean of (ε̂ − ε)² over all numbers, for each picture and time step. The same model, pictures
/// and settings give the same numbers, so that a change for the worse can be noticed.
public struct NoisePredictionError: Sendable {
  /// A picture and what is in it.
  public struct Sample: Sendable {
    /// What it is called in reports.
    public var name: String
    /// The picture; its sides are multiples of 8.
    public var picture: Picture
    /// What the model is told that is in it.
    public var caption: String

    /// A picture with its caption.
    public init(name: String, picture: Picture, caption: String = "") {
      self.name = name
      self.picture = picture
      self.caption = caption
    }
  }

  /// The time steps at which noise is added.
  public var timesteps: [Int]
  /// What the noise follows from.
  public var seed: UInt64
  /// What the model was trained with.
  public var schedule: NoiseSchedule
  /// What the model's output means.
  public var prediction: Prediction

  /// The time steps of a usual evaluation.
  public static let usualTimesteps = [50, 200, 350, 500, 650, 800, 950]

  /// An evaluation.
  public init(
    timesteps: [Int] = usualTimesteps, seed: UInt64 = 0,
    schedule: NoiseSchedule = NoiseSchedule(), prediction: Prediction = .noise
  ) {
    self.timesteps = timesteps
    self.seed = seed
    self.schedule = schedule
    self.prediction = prediction
  }

  /// The error of each sample at each time step.
  ///
  /// - Parameters:
  ///   - source: the model, with text encoder, U-Net of four channels, and VAE.
  ///   - samples: the pictures.
  ///   - runtime: what networks run on.
  ///   - progress: called after each evaluation of the U-Net.
  /// - Returns: for each sample, an error for each of ``timesteps``.
  /// - Throws: what the networks throw, and ``Tensors/Rule/generationModel``.
  public func errors(
    of source: any TensorSource, on samples: [Sample], runtime: Runtime,
    progress: () -> Void = {}
  ) throws(Fault) -> [[Double]] {
    guard ImageModel.inputChannels(of: source) == 4 else {
      throw Fault(
        .generationModel, "is not evaluated", path: source.path,
        expected: "a U-Net of 4 input channels",
        found: "\(ImageModel.inputChannels(of: source))")
    }
    let contexts = try self.contexts(of: source, for: samples, runtime: runtime)
    let latents = try self.latents(of: source, for: samples, runtime: runtime)
    let unet = try UNetModel(source, runtime: runtime)
    var errors: [[Double]] = []
    for (index, sample) in samples.enumerated() {
      guard let context = contexts[sample.caption] else { continue }
      var own: [Double] = []
      // Every picture has noise of its own, the same at every step.
      var noise = TorchNoise(seed: seed &+ UInt64(index))
      let normals = noise.normals(latents[index].values.count)
      for timestep in timesteps {
        own.append(
          try error(latents[index], normals, at: timestep, by: unet, context: context))
        progress()
      }
      errors.append(own)
    }
    return errors
  }

  private func error(
    _ latents: FloatArray, _ normals: [Float], at timestep: Int, by unet: UNetModel,
    context: FloatArray
  ) throws(Fault) -> Double {
    let bar = schedule.alphaBars[timestep]
    let signal = bar.squareRoot(), amount = (1 - bar).squareRoot()
    let noisy = zip(latents.values, normals).map { x, n in
      Float(signal * Double(x) + amount * Double(n))
    }
    let output = try unet(
      FloatArray(latents.shape, noisy), timesteps: [Float(timestep)], context: context)
    var sum = 0.0
    for index in normals.indices {
      let image = Double(latents.values[index]), noise = Double(normals[index])
      let wanted =
        switch prediction {
        case .noise: noise
        case .velocity: signal * noise - amount * image
        case .image: image
        }
      let difference = Double(output.values[index]) - wanted
      sum += difference * difference
    }
    return sum / Double(normals.count)
  }

  private func contexts(
    of source: any TensorSource, for samples: [Sample], runtime: Runtime
  ) throws(Fault) -> [String: FloatArray] {
    let model = try TextModel(source, runtime: runtime)
    let encoder = PromptEncoder()
    var contexts: [String: FloatArray] = [:]
    for sample in samples where contexts[sample.caption] == nil {
      let tokens = encoder.plainTokens(of: sample.caption).chunks[0].tokens
      contexts[sample.caption] = try model([tokens])
    }
    return contexts
  }

  /// The most likely latents of each picture.
  private func latents(
    of source: any TensorSource, for samples: [Sample], runtime: Runtime
  ) throws(Fault) -> [FloatArray] {
    let vae = try VAEModel(source, runtime: runtime, parts: [.encoder])
    var latents: [FloatArray] = []
    for sample in samples {
      let picture = sample.picture
      let planes = FloatArray([1, 3, picture.height, picture.width], picture.planes)
      let mean = try vae.encode(planes).mean
      latents.append(FloatArray(mean.shape, mean.values.map { $0 * EncodedImage.scale }))
    }
    return latents
  }
}
