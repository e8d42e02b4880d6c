public import Inference
public import Pictures
public import Prompts
import Sampling
public import StableDiffusion
public import Tensors

/// Makes pictures with a model, or with several that differ in some of their weights.
///
///     let generator = ImageGenerator(model, runtime: try Runtime())
///     let pictures = try generator.pictures(for: [request])
///
/// Each part of the model is loaded when it is needed and freed before the next, so that memory
/// holds one of them. Of several models each part is worked through before the next part is loaded,
/// and what one has in common with the one before stays in memory.
public struct ImageGenerator {
  /// How far the work is.
  public enum Stage: Hashable, Sendable {
    /// Weights of a part are being read.
    case loading(String)
    /// Weights of a model, by its number, were read; others were there already.
    case read([Parameter], model: Int)
    /// Prompts are being encoded.
    case encoding
    /// The U-Net ran once more, for one picture.
    case evaluated
    /// A picture is being decoded.
    case decoding
  }

  private let models: [any TensorSource]
  private let runtime: Runtime
  private let encoder: PromptEncoder
  private let progress: (Stage) -> Void
  private let preview: (LatentPreview) -> Void

  /// A generator for a model.
  ///
  /// - Parameters:
  ///   - source: the model; values may be computed as they are read.
  ///   - runtime: what networks run on.
  ///   - encoder: knows the embeddings that prompts may name.
  ///   - progress: called from the calling thread.
  ///   - preview: called after each step.
  public init(
    _ source: any TensorSource, runtime: Runtime, encoder: PromptEncoder = PromptEncoder(),
    progress: @escaping (Stage) -> Void = { _ in },
    preview: @escaping (LatentPreview) -> Void = { _ in }
  ) {
    self.init(
      series: [source], runtime: runtime, encoder: encoder, progress: progress, preview: preview)
  }

  /// A generator for several models.
  public init(
    series models: [any TensorSource], runtime: Runtime, encoder: PromptEncoder = PromptEncoder(),
    progress: @escaping (Stage) -> Void = { _ in },
    preview: @escaping (LatentPreview) -> Void = { _ in }
  ) {
    precondition(!models.isEmpty, "there is a model")
    self.models = models
    self.runtime = runtime
    self.encoder = encoder
    self.progress = progress
    self.preview = preview
  }

  /// The pictures of each request, in order, by the first model.
  ///
  /// - Throws: what ``ImageRequest/check()`` and the networks throw, and
  ///   ``Tensors/Rule/generationNumbers``.
  public func pictures(for requests: [ImageRequest]) throws(Fault) -> [[Picture]] {
    try pictures(forEach: [requests])[0]
  }

  /// The latents of each request before the VAE decodes them: `[count, 4, height / 8, width / 8]`.
  public func latents(for requests: [ImageRequest]) throws(Fault) -> [[Float]] {
    try latents(forEach: [requests])[0]
  }

  /// The pictures of each model's own requests; there is a list of requests for each model.
  public func pictures(forEach requests: [[ImageRequest]]) throws(Fault) -> [[[Picture]]] {
    let latents = try self.latents(forEach: requests)
    var weights = LoadedWeights()
    var pictures: [[[Picture]]] = []
    for (model, own) in requests.enumerated() {
      progress(.loading("VAE decoder"))
      let vae = try VAEModel(
        models[model], runtime: runtime, parts: [.decoder], keeping: &weights)
      progress(.read(vae.weights.read, model: model))
      var made: [[Picture]] = []
      for (request, values) in zip(own, latents[model]) {
        made.append(try decode(values, of: request, by: vae))
      }
      pictures.append(made)
      weights = vae.weights
    }
    return pictures
  }

  private func decode(
    _ latents: [Float], of request: ImageRequest, by vae: VAEModel
  ) throws(Fault) -> [Picture] {
    var pictures: [Picture] = []
    for image in 0..<request.count {
      progress(.decoding)
      let range = image * request.latentCount..<(image + 1) * request.latentCount
      let scaled = latents[range].map { $0 / EncodedImage.scale }
      let shape = [1, 4, request.latentHeight, request.latentWidth]
      let decoded = try vae.decode(FloatArray(shape, scaled))
      pictures.append(
        Picture(width: request.width, height: request.height, planes: decoded.values))
    }
    return pictures
  }

  /// The latents of each model's own requests.
  private func latents(forEach requests: [[ImageRequest]]) throws(Fault) -> [[[Float]]] {
    precondition(requests.count <= models.count, "there is a model for each list")
    for request in requests.joined() { try request.check() }
    let prompts = try encodePrompts(of: requests)
    let images = try encodeImages(of: requests)
    var weights = LoadedWeights()
    var results: [[[Float]]] = []
    for (model, own) in requests.enumerated() {
      progress(.loading("U-Net"))
      let unet = try UNetModel(models[model], runtime: runtime, keeping: &weights)
      progress(.read(unet.weights.read, model: model))
      var latents: [[Float]] = []
      for (index, request) in own.enumerated() {
        latents.append(
          try sample(
            request, by: unet, prompts: prompts[model][index], images: images[model][index],
            path: models[model].path))
      }
      results.append(latents)
      weights = unet.weights
    }
    return results
  }
}

// The parts of the work.
extension ImageGenerator {
  private typealias Contexts = (positive: [ContextPhase], negative: [ContextPhase])

  /// The channels that a U-Net takes: 4, or 9 for inpainting.
  private func inputChannels(of model: any TensorSource) throws(Fault) -> Int {
    let channels = ImageModel.inputChannels(of: model)
    guard channels == 4 || channels == 9 else {
      throw Fault(
        .generationModel, "has a U-Net that takes something else than an image", path: model.path,
        expected: "4 or 9 input channels", found: "\(channels)")
    }
    return channels
  }

  private func encodePrompts(of requests: [[ImageRequest]]) throws(Fault) -> [[Contexts]] {
    var weights = LoadedWeights()
    var known: [PromptKey: FloatArray] = [:]
    var results: [[Contexts]] = []
    for (index, own) in requests.enumerated() {
      progress(.loading("text encoder"))
      let model = try TextModel(models[index], runtime: runtime, keeping: &weights)
      progress(.read(model.weights.read, model: index))
      progress(.encoding)
      if !model.weights.read.isEmpty { known = [:] }
      var contexts: [Contexts] = []
      for request in own {
        contexts.append(
          (
            try phases(of: request.prompt, in: request, by: model, &known),
            try phases(of: request.negativePrompt, in: request, by: model, &known)
          ))
      }
      results.append(contexts)
      weights = model.weights
    }
    return results
  }

  private func phases(
    of prompt: String, in request: ImageRequest, by model: TextModel,
    _ known: inout [PromptKey: FloatArray]
  ) throws(Fault) -> [ContextPhase] {
    let edited =
      try request.readsEmphasis
      ? EditedPrompt(prompt, steps: request.steps).phases : [.init(start: 0, text: prompt)]
    var phases: [ContextPhase] = []
    for phase in edited {
      let key = PromptKey(
        text: phase.text, skip: request.clipSkip, emphasis: request.readsEmphasis)
      let context: FloatArray
      if let found = known[key] {
        context = found
      } else {
        context = try self.context(of: key, by: model)
        known[key] = context
      }
      phases.append(ContextPhase(start: phase.start, context: context))
    }
    return phases
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

  /// What an encoded image follows from.
  private struct ImageKey: Hashable {
    let image: Picture?, mask: Picture?, width: Int, height: Int

    init(_ request: ImageRequest) {
      (image, mask, width, height) = (request.image, request.mask, request.width, request.height)
    }
  }

  /// The images of all requests; the encoder is freed before anything else is loaded.
  private func encodeImages(of requests: [[ImageRequest]]) throws(Fault) -> [[Images]] {
    var weights = LoadedWeights()
    var known: [ImageKey: Images] = [:]
    var results: [[Images]] = []
    for (index, own) in requests.enumerated() {
      let channels = try inputChannels(of: models[index])
      guard channels == 9 || own.contains(where: { $0.image != nil }) else {
        results.append(own.map { _ in (nil, nil) })
        continue
      }
      progress(.loading("VAE encoder"))
      let vae = try VAEModel(
        models[index], runtime: runtime, parts: [.encoder], keeping: &weights)
      progress(.read(vae.weights.read, model: index))
      if !vae.weights.read.isEmpty { known = [:] }
      var images: [Images] = []
      for request in own {
        let key = ImageKey(request)
        if let found = known[key] {
          images.append(found)
          continue
        }
        let found = try encodeImages(of: request, channels: channels, by: vae)
        known[key] = found
        images.append(found)
      }
      results.append(images)
      weights = vae.weights
    }
    return results
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
    _ request: ImageRequest, by unet: UNetModel, prompts: Contexts, images: Images, path: String
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
      if let answer = denoiser.last {
        let image = run.image(answer.output, in: answer.latents, at: answer.timestep)
        preview(LatentPreview(step: index, of: request, image: image.floats))
      }
      guard request.mask != nil, images.masked == nil, let kept else { return }
      let image = Latents(kept)
      let known =
        index == last
        ? image : run.noised(image, noise: Latents(noise), at: index, for: request.sampler)
      x = mask.blended(x, over: known)
    }
    guard result.values.allSatisfy(\.isFinite), result.values.count == count * request.count else {
      throw Fault(
        .generationNumbers, "made latents that are not numbers", path: path,
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
