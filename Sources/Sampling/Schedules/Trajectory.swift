/// The points that a sampler visits, from noise to image.
///
///     let trajectory = Trajectory(steps: 20, for: DPMSolver2M.self)
///     trajectory.points[0].timestep   // 953
public struct Trajectory: Hashable, Sendable {
  /// One amount of noise.
  public struct Point: Hashable, Sendable {
    /// What the model is told; whole or not.
    public let timestep: Double
    /// The share of the image in a latent of unit variance: √ᾱ.
    public let signal: Double
    /// The share of the noise: √(1 − ᾱ).
    public let noise: Double

    /// The deviation of the noise beside an image of unit scale.
    public var sigma: Double { noise / signal }

    init(timestep: Double, sigma: Double) {
      self.timestep = timestep
      signal = 1 / (1 + sigma * sigma).squareRoot()
      noise = sigma * signal
    }

    init(timestep: Double, alphaBar: Double) {
      self.timestep = timestep
      signal = alphaBar.squareRoot()
      noise = (1 - alphaBar).squareRoot()
    }
  }

  /// One point for each step, and the one where the last step arrives.
  public let points: [Point]
  /// What the time steps belong to.
  public let schedule: NoiseSchedule

  /// The number of steps.
  public var stepCount: Int { points.count - 1 }

  /// The points of `steps` steps for a kind of sampler.
  ///
  /// - Parameters:
  ///   - steps: at least 1 and at most the number of training steps.
  ///   - sampler: lays out its steps as the scheduler of that name in diffusers.
  ///   - schedule: what the model was trained with.
  ///   - spacing: how time steps are spread.
  ///   - sigmas: how the noise falls.
  ///   - offset: `steps_offset` of diffusers.
  ///   - prediction: what the model's output means.
  public init(
    steps: Int, for sampler: any Sampler.Type, schedule: NoiseSchedule = NoiseSchedule(),
    spacing: TimestepSpacing = .leading, sigmas: SigmaSpacing = .normal, offset: Int = 1,
    prediction: Prediction = .noise
  ) {
    precondition((1...schedule.stepCount).contains(steps), "there is a training step for each step")
    self.schedule = schedule
    let layout = sampler.layout
    let isMultistep = layout == .multistep
    let timesteps =
      layout == .consistency
      ? Self.consistencySteps(steps, of: schedule.stepCount)
      : spacing.timesteps(
        count: steps, training: schedule.stepCount, offset: offset, spare: isMultistep,
        whole: layout != .continuous)
    var points: [Point]
    let own = timesteps.map { schedule.sigma(at: $0) }
    let highest = isMultistep ? schedule.maximumSigma : own[0]
    let lowest = isMultistep ? schedule.minimumSigma : own[steps - 1]
    if let spaced = sigmas.sigmas(from: highest, to: lowest, count: steps) {
      points = spaced.map { sigma in
        let timestep = schedule.timestep(sigma: sigma)
        guard isMultistep else { return Point(timestep: timestep, sigma: sigma) }
        // The multistep schedulers of diffusers store whole numbers: rounded for Karras, cut else.
        // In single precision, as there, the noisiest one comes out just below a whole number.
        let whole =
          sigmas == .karras
          ? timestep.rounded(.toNearestOrEven) : max(0, timestep - 1e-6).rounded(.towardZero)
        return Point(timestep: whole, sigma: sigma)
      }
    } else if layout == .discrete || layout == .consistency {
      points = timesteps.map { timestep in
        let bar = schedule.alphaBars[Int(timestep)]
        // Without any signal the image cannot be computed from the noise.
        return Point(timestep: timestep, alphaBar: prediction == .noise ? max(bar, 0x1p-24) : bar)
      }
    } else {
      points = zip(timesteps, own).map { Point(timestep: $0, sigma: $1) }
    }
    // Stable Diffusion's DDIM ends at the first training step, not at an image without noise.
    points.append(
      sampler.endsAtFirstStep
        ? Point(timestep: 0, alphaBar: schedule.alphaBars[0]) : Point(timestep: 0, sigma: 0))
    self.points = points
  }

  private init(points: [Point], schedule: NoiseSchedule) {
    self.points = points
    self.schedule = schedule
  }

  /// The last part, for an image that is to be changed by `strength`, from 0 to 1.
  ///
  /// Of n steps the last ⌊n · strength⌋ are left.
  public func suffix(strength: Double) -> Trajectory {
    let wanted = Double(stepCount) * min(max(strength, 0), 1)
    return Trajectory(points: points.suffix(Int(wanted) + 1), schedule: schedule)
  }

  /// The steps of a latent consistency model: some of the fifty that it was distilled for.
  private static func consistencySteps(_ count: Int, of training: Int) -> [Double] {
    // More steps than fifty take what there is between.
    let original = max(min(50, training), count)
    let ratio = training / original
    return (0..<count).map { step in
      let index = Int((Double(step) * Double(original) / Double(count)).rounded(.down))
      return Double((original - index) * ratio - 1)
    }
  }
}
