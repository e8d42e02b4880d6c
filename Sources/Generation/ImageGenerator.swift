public import Inference
public import Pictures
public import Prompts
import Sampling
public import Tensors

/// Makes pictures with a model.
///
///     let generator = ImageGenerator(model, runtime: try Runtime())
///     let pictures = try generator.pictures(for: [request])
///
/// Each part of the model is loaded when it is needed and freed before the next, so that memory
/// holds one of them.
public struct ImageGenerator {
  /// How far the work is.
  public enum Stage: Hashable, Sendable {
    /// Weights of a part are being read.
    case loading(String)
    /// Prompts are being encoded.
    case encoding
    /// The U-Net ran once more, for one picture.
    case evaluated
    /// A picture is being decoded.
    case decoding
  }

  private let source: any TensorSource
  private let runtime: Runtime
  private let encoder: PromptEncoder
  private let progress: (Stage) -> Void

  /// A generator for a model.
  ///
  /// - Parameters:
  ///   - source: the model; values may be computed as they are read.
  ///   - runtime: what networks run on.
  ///   - encoder: knows the embeddings that prompts may name.
  ///   - progress: called from the calling thread.
  public init(
    _ source: any TensorSource, runtime: Runtime, encoder: PromptEncoder = PromptEncoder(),
    progress: @escaping (Stage) -> Void = { _ in }
  ) {
    self.source = source
    self.runtime = runtime
    self.encoder = encoder
    self.progress = progress
  }

  /// The pictures of each request, in order.
  ///
  /// - Throws: what ``ImageRequest/check()`` and the networks throw, and
  ///   ``Tensors/Rule/generationNumbers``.
  public func pictures(for requests: [ImageRequest]) throws(Fault) -> [[Picture]] {
    let latents = try self.latents(for: requests)
    progress(.loading("VAE decoder"))
    let vae = try VAEModel(source, runtime: runtime, parts: [.decoder])
    var pictures: [[Picture]] = []
    for (request, values) in zip(requests, latents) {
      var own: [Picture] = []
      for image in 0..<request.count {
        progress(.decoding)
        let range = image * request.latentCount..<(image + 1) * request.latentCount
        let scaled = values[range].map { $0 / EncodedImage.scale }
        let shape = [1, 4, request.latentHeight, request.latentWidth]
        let decoded = try vae.decode(FloatArray(shape, scaled))
        own.append(
          Picture(width: request.width, height: request.height, planes: decoded.values))
      }
      pictures.append(own)
    }
    return pictures
  }

  /// The latents of each request before the VAE decodes them: `[count, 4, height / 8, width / 8]`.
  public func latents(for requests: [ImageRequest]) throws(Fault) -> [[Float]] {
    for request in requests { try request.check() }
    let prompts = try encodePrompts(of: requests)
    let channels = try inputChannels()
    let images = try encodeImages(of: requests, channels: channels)
    progress(.loading("U-Net"))
    let unet = try UNetModel(source, runtime: runtime)
    var results: [[Float]] = []
    for (index, request) in requests.enumerated() {
      results.append(
        try sample(request, by: unet, prompts: prompts[index], images: images[index]))
    }
    return results
  }
}

// The parts of the work.
extension ImageGenerator {
  private typealias Contexts = (positive: [ContextPhase], negative: [ContextPhase])

  /// The channels that the U-Net takes: 4, or 9 for inpainting.
  private func inputChannels() throws(Fault) -> Int {
    let channels = ImageModel.inputChannels(of: source)
    guard channels == 4 || channels == 9 else {
      throw Fault(
        .generationModel, "has a U-Net that takes something else than an image", path: source.path,
        expected: "4 or 9 input channels", found: "\(channels)")
    }
    return channels
  }

  private func encodePrompts(of requests: [ImageRequest]) throws(Fault) -> [Contexts] {
    progress(.loading("text encoder"))
    let model = try TextModel(source, runtime: runtime)
    progress(.encoding)
    var known: [PromptKey: FloatArray] = [:]
    var results: [Contexts] = []
    for request in requests {
      var both: [[ContextPhase]] = []
      for prompt in [request.prompt, request.negativePrompt] {
        let edited = try EditedPrompt(
          prompt, steps: request.readsEmphasis ? request.steps : 1)
        var phases: [ContextPhase] = []
        for phase in request.readsEmphasis ? edited.phases : [.init(start: 0, text: prompt)] {
          let key = PromptKey(
            text: phase.text, skip: request.clipSkip, emphasis: request.readsEmphasis)
          if known[key] == nil { known[key] = try context(of: key, by: model) }
          guard let context = known[key] else { continue }
          phases.append(ContextPhase(start: phase.start, context: context))
        }
        both.append(phases)
      }
      results.append((both[0], both[1]))
    }
    return results
  }

  private struct PromptKey: Hashable {
    let text: String, skip: Int, emphasis: Bool
  }

  /// `[1, 77 · chunks, width]`.
  private func context(of key: PromptKey, by model: TextModel) throws(Fault) -> FloatArray {
    let prompt =
      key.emphasis ? try encoder.tokens(of: key.text) : encoder.plainTokens(of: key.text)
    let chunks = key.emphasis ? prompt.chunks : Array(prompt.chunks.prefix(1))
    let output = try model(
      chunks.map(\.tokens), clipSkip: key.skip, vectors: prompt.vectors)
    let size = output.values.count / chunks.count
    var values: [Float] = []
    values.reserveCapacity(output.values.count)
    for (index, chunk) in chunks.enumerated() {
      var own = Array(output.values[index * size..<(index + 1) * size])
      applyEmphasis(chunk.weights, to: &own)
      values += own
    }
    return FloatArray([1, output.shape[0] * output.shape[1], output.shape[2]], values)
  }

  private typealias Images = (image: EncodedImage?, masked: EncodedImage?)

  /// The images of all requests; the encoder is freed before anything else is loaded.
  private func encodeImages(
    of requests: [ImageRequest], channels: Int
  ) throws(Fault) -> [Images] {
    guard channels == 9 || requests.contains(where: { $0.image != nil }) else {
      return requests.map { _ in (nil, nil) }
    }
    progress(.loading("VAE encoder"))
    let vae = try VAEModel(source, runtime: runtime, parts: [.encoder])
    var images: [Images] = []
    for request in requests {
      images.append(try encodeImages(of: request, channels: channels, by: vae))
    }
    return images
  }

  private func encodeImages(
    of request: ImageRequest, channels: Int, by vae: VAEModel
  ) throws(Fault) -> Images {
    let width = request.width, height = request.height
    var image: EncodedImage?, masked: EncodedImage?
    let planes = request.image?.planes
    if let planes { image = try EncodedImage(planes, width: width, height: height, by: vae) }
    if channels == 9 {
      // Without an image all is to be made, around a mid-grey nothing.
      var rest = planes ?? Array(repeating: 0, count: 3 * width * height)
      let hidden = request.mask?.brightness ?? Array(repeating: 1, count: width * height)
      if planes != nil {
        for index in rest.indices where hidden[index % (width * height)] >= 0.5 { rest[index] = 0 }
      }
      masked = try EncodedImage(rest, width: width, height: height, by: vae)
    }
    return (image, masked)
  }

  private func sample(
    _ request: ImageRequest, by unet: UNetModel, prompts: Contexts,
    images: Images
  ) throws(Fault) -> [Float] {
    let count = request.latentCount
    let box = NoiseBox(request)
    // In the order in which diffusers draws them: the image, the noise, the masked image. A model
    // for inpainting that begins with noise alone does not need the image.
    let usesImage = images.image != nil && (images.masked == nil || request.strength < 1)
    let kept = usesImage ? images.image.map { image in box.each { image.latents($0) } } : nil
    let noise = box.next()
    let mask =
      request.mask.map {
        LatentMask($0.brightness, width: request.width, height: request.height)
      } ?? LatentMask(count: request.latentWidth * request.latentHeight)
    let beside =
      images.masked.map { masked in
        (0..<request.count).map { image in mask.values + masked.latents(box.next(image)) }
      } ?? []
    let denoiser = Denoiser(
      unet, request, positive: prompts.positive, negative: prompts.negative, beside: beside,
      evaluated: { progress(.evaluated) })
    let run = SamplingRun(
      along: request.trajectory, prediction: request.prediction, noise: { box.next() }
    ) { (latents, timestep) throws(Fault) in try denoiser(latents, timestep) }
    let start =
      kept.map { run.start(image: $0, noise: noise, for: request.sampler) }
      ?? run.start(noise: noise, for: request.sampler, spacing: request.usedSpacing)
    let last = run.trajectory.stepCount
    let result = try run.sample(with: request.sampler, request.settings, from: start) {
      (index, x) throws(Fault) in
      denoiser.step += 1
      guard request.mask != nil, images.masked == nil, let kept else { return }
      let image = Latents(kept)
      let known =
        index == last
        ? image : run.noised(image, noise: Latents(noise), at: index, for: request.sampler)
      x = mask.blended(x, over: known)
    }
    guard result.values.allSatisfy(\.isFinite), result.values.count == count * request.count else {
      throw Fault(
        .generationNumbers, "made latents that are not numbers", path: source.path,
        hint: "sdtool validate finds damaged weights; --precision f32 has more range")
    }
    return result.floats
  }
}

/// The random numbers of several pictures, each with a seed of its own.
private final class NoiseBox {
  private var generators: [NoiseGenerator]
  private let count: Int

  init(_ request: ImageRequest) {
    count = request.latentCount
    generators = (0..<request.count).map {
      NoiseGenerator(request.noise, seed: request.seed &+ UInt64($0))
    }
  }

  /// The next numbers of one picture.
  func next(_ image: Int) -> [Float] { generators[image].normals(count) }

  /// The next numbers of all pictures, changed picture by picture.
  func each(_ change: ([Float]) -> [Float]) -> [Float] {
    generators.indices.flatMap { change(next($0)) }
  }

  /// The next numbers of all pictures.
  func next() -> [Float] { each { $0 } }
}
