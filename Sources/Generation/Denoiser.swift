import Inference
import Prompts
import Sampling
import Tensors

/// What a prompt became: a context for some of the steps.
struct ContextPhase {
  /// The first step of it.
  let start: Int
  /// `[1, tokens, width]`.
  let context: FloatArray
}

/// The U-Net with its prompts and its guidance: what a sampler asks.
final class Denoiser {
  private let unet: UNetModel
  private let request: ImageRequest
  private let positive: [ContextPhase]
  private let negative: [ContextPhase]
  /// What a U-Net of nine channels takes beside the latent, for each picture: mask and image.
  private let beside: [[Float]]
  private let evaluated: () -> Void
  /// The step that the sampler is in, of all steps of the request.
  var step: Int
  /// What the model was asked last, and what it said.
  private(set) var last: (latents: [Float], timestep: Float, output: [Float])?

  init(
    _ unet: UNetModel, _ request: ImageRequest, positive: [ContextPhase],
    negative: [ContextPhase], beside: [[Float]], evaluated: @escaping () -> Void
  ) {
    self.unet = unet
    self.request = request
    self.positive = positive
    self.negative = negative
    self.beside = beside
    self.evaluated = evaluated
    step = request.steps - request.trajectory.stepCount
  }

  /// What the model says to the latents of all pictures.
  func callAsFunction(_ latents: [Float], _ timestep: Float) throws(Fault) -> [Float] {
    var output: [Float] = []
    output.reserveCapacity(latents.count)
    for image in 0..<request.count {
      let own = latents[image * request.latentCount..<(image + 1) * request.latentCount]
      output += try predict(
        Array(own) + (beside.isEmpty ? [] : beside[image]), timestep: timestep)
      evaluated()
    }
    last = (latents, timestep, output)
    return output
  }

  private func predict(_ input: [Float], timestep: Float) throws(Fault) -> [Float] {
    let channels = input.count / (request.latentWidth * request.latentHeight)
    let shape = [1, channels, request.latentHeight, request.latentWidth]
    let with = context(of: positive)
    guard request.guidance.isNeeded else {
      return try unet(FloatArray(shape, input), timesteps: [timestep], context: with).values
    }
    let without = context(of: negative)
    guard with.shape == without.shape else {
      // Filling up the shorter one would change what it means.
      let a = try unet(FloatArray(shape, input), timesteps: [timestep], context: without)
      let b = try unet(FloatArray(shape, input), timesteps: [timestep], context: with)
      return request.guidance.combined(without: a.values, with: b.values)
    }
    let both = try unet(
      FloatArray([2] + shape.dropFirst(), input + input), timesteps: [timestep, timestep],
      context: FloatArray([2] + with.shape.dropFirst(), without.values + with.values))
    let half = both.values.count / 2
    return request.guidance.combined(without: both.values[..<half], with: both.values[half...])
  }

  private func context(of phases: [ContextPhase]) -> FloatArray {
    (phases.last { $0.start <= step } ?? phases[0]).context
  }
}
