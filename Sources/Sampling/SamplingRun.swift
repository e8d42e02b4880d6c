public import Tensors

/// Everything around the steps of a sampler: the points, the model, and fresh noise.
///
///     let run = SamplingRun(along: trajectory, prediction: .noise, noise: { generator.normals(n) }) {
///       (latents, timestep) throws(Fault) in try network(latents, timestep)
///     }
///     let latents = try run.sample(with: Euler.self, from: run.start(noise: noise, for: Euler.self))
public struct SamplingRun {
  /// Answers what the model says to latents of unit variance at a time step.
  public typealias Model = (_ latents: [Float], _ timestep: Float) throws(Fault) -> [Float]

  /// The points that are visited.
  public let trajectory: Trajectory
  /// What the model's output means.
  public let prediction: Prediction
  private let model: Model
  private let freshNoise: () -> [Float]

  /// A run of `model`.
  ///
  /// `noise` makes as many normal numbers as there are in the latents, other ones each time.
  public init(
    along trajectory: Trajectory, prediction: Prediction = .noise,
    noise: @escaping () -> [Float], model: @escaping Model
  ) {
    self.trajectory = trajectory
    self.prediction = prediction
    freshNoise = noise
    self.model = model
  }

  /// Where a picture out of nothing begins: the first point, all noise.
  ///
  /// As in diffusers: latents that keep unit variance begin as the noise itself, and so do others
  /// where the first point is not the noisiest.
  public func start(
    noise: [Float], for sampler: any Sampler.Type, spacing: TimestepSpacing = .leading
  ) -> Latents {
    let latents = Latents(noise)
    guard sampler.scale == .exploding else { return latents }
    let sigma = trajectory.points[0].sigma
    return (spacing == .leading ? (sigma * sigma + 1).squareRoot() : sigma) * latents
  }

  /// Where the change of an image begins: `image` with the noise of the first point.
  public func start(image: [Float], noise: [Float], for sampler: any Sampler.Type) -> Latents {
    noised(Latents(image), noise: Latents(noise), at: 0, for: sampler)
  }

  /// `image` with as much noise as there is at point `index`.
  public func noised(
    _ image: Latents, noise: Latents, at index: Int, for sampler: any Sampler.Type
  ) -> Latents {
    let point = trajectory.points[index]
    switch sampler.scale {
    case .preserving: return point.signal * image + point.noise * noise
    case .exploding: return image + point.sigma * noise
    }
  }

  /// Takes all steps from where ``start(noise:for:spacing:)`` or ``start(image:noise:for:)`` says.
  ///
  /// `stepDone` is called after each step with the number of the point that was reached; it may
  /// change the latents, and stop the run by throwing. Throws what it and the model throw.
  public func sample(
    with sampler: any Sampler.Type, _ settings: SamplerSettings = SamplerSettings(),
    from start: Latents,
    stepDone: (_ index: Int, _ x: inout Latents) throws(Fault) -> Void = { _, _ in }
  ) throws(Fault) -> Latents {
    var x = start
    var sampler = sampler.init(settings)
    for index in 0..<trajectory.stepCount {
      try sampler.step(&x, from: index, in: self)
      try stepDone(index + 1, &x)
    }
    return x
  }

  /// The image that the model's output stands for, where it saw `latents` of unit variance.
  public func image(
    _ output: [Float], in latents: [Float], at timestep: Float
  ) -> Latents {
    let sigma = trajectory.schedule.sigma(at: Double(timestep))
    return prediction.image(
      Latents(output), in: Latents(latents),
      at: Trajectory.Point(timestep: Double(timestep), sigma: sigma))
  }

  // What samplers ask for.

  /// The points that are visited.
  var points: [Trajectory.Point] { trajectory.points }

  /// Whether the step from `index` is the last.
  func isLast(_ index: Int) -> Bool { index == trajectory.stepCount - 1 }

  /// Fresh normal numbers.
  func noise() -> Latents { Latents(freshNoise()) }

  /// A point between those of the trajectory.
  func point(sigma: Double) -> Trajectory.Point {
    Trajectory.Point(timestep: trajectory.schedule.timestep(sigma: sigma), sigma: sigma)
  }

  /// What the model says to latents of unit variance.
  func output(_ x: Latents, at point: Trajectory.Point) throws(Fault) -> Latents {
    Latents(try model(x.floats, Float(point.timestep)))
  }

  /// The image in latents of unit variance.
  func image(preserving x: Latents, at point: Trajectory.Point) throws(Fault) -> Latents {
    prediction.image(try output(x, at: point), in: x, at: point)
  }

  /// The image in latents that grow with the noise.
  func image(exploding x: Latents, at point: Trajectory.Point) throws(Fault) -> Latents {
    try image(preserving: point.signal * x, at: point)
  }
}
