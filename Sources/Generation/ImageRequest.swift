public import Pictures
public import Sampling
public import Tensors

/// What picture is wanted.
///
///     var request = ImageRequest(prompt: "a lighthouse at dusk")
///     request.sampler = DPMSolver2M.self
///     request.seed = 42
public struct ImageRequest: Sendable {
  /// What should be in it; see ``Prompts``.
  public var prompt: String
  /// What guidance leads away from.
  public var negativePrompt = ""
  /// Whether brackets in prompts have a meaning.
  public var readsEmphasis = true
  /// 1 for the last layer of the text encoder, 2 for the one before, and so on.
  public var clipSkip = 1
  /// Pixels in a row, a multiple of 8.
  public var width = 512
  /// Rows, a multiple of 8.
  public var height = 512
  /// The number of steps.
  public var steps = 20
  /// How much the prompt counts.
  public var guidance = Guidance(scale: 7)
  /// What the random numbers of the first picture follow from; the next has the next seed.
  public var seed: UInt64 = 0
  /// How many pictures are made.
  public var count = 1
  /// The way from noise to image.
  public var sampler: any Sampler.Type = DPMSolver2M.self
  /// What can be chosen about the sampler.
  public var settings = SamplerSettings()
  /// What the model was trained with.
  public var schedule = NoiseSchedule()
  /// What the model's output means.
  public var prediction = Prediction.noise
  /// How time steps are spread; `nil` as is usual for the sampler.
  public var spacing: TimestepSpacing?
  /// How the noise falls.
  public var sigmas = SigmaSpacing.normal
  /// Where random numbers come from.
  public var noise = NoiseKind.torch
  /// The picture that is changed; it has the size of the result.
  public var image: Picture?
  /// How much of ``image`` is changed, from 0 to 1.
  public var strength = 0.75
  /// White where ``image`` is changed, black where it stays.
  public var mask: Picture?

  /// A picture by the defaults.
  public init(prompt: String) { self.prompt = prompt }

  /// The points that the sampler visits.
  public var trajectory: Trajectory {
    let whole = Trajectory(
      steps: steps, for: sampler, schedule: schedule, spacing: usedSpacing, sigmas: sigmas,
      prediction: prediction)
    return image == nil ? whole : whole.suffix(strength: strength)
  }

  /// How time steps are spread.
  var usedSpacing: TimestepSpacing { spacing ?? sampler.layout.usualSpacing }

  /// How often the U-Net runs for each picture, with and without prompt counting once.
  public var evaluations: Int {
    let steps = trajectory.stepCount
    return steps > 0 ? sampler.evaluations(steps: steps) : 0
  }

  /// Width and height of the latents.
  var latentWidth: Int { width / 8 }
  var latentHeight: Int { height / 8 }
  /// The numbers in the latents of one picture.
  var latentCount: Int { 4 * latentWidth * latentHeight }
}

extension ImageRequest {
  /// Checks everything that can be known before a model is loaded.
  ///
  /// - Throws: ``Tensors/Rule/imageSize``, ``Tensors/Rule/imageMismatch`` or
  ///   ``Tensors/Rule/generationSetting``.
  public func check() throws(Fault) {
    for (name, value) in [("width", width), ("height", height)] {
      guard value >= 64, value % 8 == 0 else {
        let lower = max(64, value / 8 * 8)
        throw Fault(
          .imageSize, "the \(name) does not fit the model",
          expected: "a multiple of 8, 64 or more", found: "\(value)",
          hint: value > 64 ? "take \(lower) or \(lower + 8)" : "take 64 or more")
      }
    }
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, pixels <= Picture.maximumPixelCount / 4 else {
      throw Fault(
        .imageSize, "the picture is too large",
        expected: "at most \(Picture.maximumPixelCount / 4) pixels", found: "\(width) × \(height)")
    }
    try check(
      "number of steps", steps, in: 1...min(1000, schedule.stepCount), "20 to 50 are usual")
    try check("number of pictures", count, in: 1...1000, "make more in several runs")
    try check("clip skip", clipSkip, in: 1...12, "1 or 2 is usual")
    guard guidance.scale.isFinite, abs(guidance.scale) <= 1000 else {
      throw Fault(.generationSetting, "guidance is not a usable number", found: "\(guidance.scale)")
    }
    guard (0...1).contains(guidance.rescale) else {
      throw Fault(
        .generationSetting, "the share of --cfg-rescale is out of range", expected: "0 to 1",
        found: "\(guidance.rescale)")
    }
    if let image {
      guard image.width == width, image.height == height else {
        throw mismatch("the image", image)
      }
      guard strength > 0, strength <= 1 else {
        throw Fault(
          .generationSetting, "the strength is out of range", expected: "above 0, at most 1",
          found: "\(strength)")
      }
      guard trajectory.stepCount > 0 else {
        throw Fault(
          .generationSetting, "strength \(strength) of \(steps) steps leaves none",
          hint: "raise one of them")
      }
    }
    if let mask {
      guard image != nil else {
        throw Fault(.generationSetting, "there is a mask, but no image that it belongs to")
      }
      guard mask.width == width, mask.height == height else { throw mismatch("the mask", mask) }
    }
  }

  private func check(
    _ name: String, _ value: Int, in range: ClosedRange<Int>, _ hint: String
  ) throws(Fault) {
    guard range.contains(value) else {
      throw Fault(
        .generationSetting, "the \(name) is out of range",
        expected: "\(range.lowerBound) to \(range.upperBound)", found: "\(value)", hint: hint)
    }
  }

  private func mismatch(_ name: String, _ picture: Picture) -> Fault {
    Fault(
      .imageMismatch, "\(name) has another size", expected: "\(width) × \(height)",
      found: "\(picture.width) × \(picture.height)", hint: "scale it with another program first")
  }
}
