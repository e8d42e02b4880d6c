import Glibc
import JSON
import Sampling
import Tensors
import TestSupport
import Testing

/// Every sampler against the scheduler of that name in diffusers; see fixtures/sampling/make.py.
@Suite("Samplers")
struct SamplerTests {
  /// One run of a scheduler.
  struct Case: CustomTestStringConvertible {
    let value: JSONValue
    func text(_ key: String) -> String { value[key]?.string ?? "" }
    func number(_ key: String) -> Double { value[key]?.double ?? .nan }
    func numbers(_ key: String) -> [Double] { value[key]?.array?.compactMap { $0.double } ?? [] }
    var testDescription: String {
      let words = ["sampler", "prediction", "betas", "spacing", "sigmas"].map { text($0) }
      return words.joined(separator: " ") + " \(number("strength"))"
    }
  }

  static let cases: [Case] = {
    let file = contents(of: Fixtures.path("sampling/samplers.json"))
    return ((try? JSONValue(parsing: file))?.array ?? []).map { Case(value: $0) }
  }()

  @Test("there are cases for every sampler")
  func complete() {
    let names = Set(Self.cases.map { $0.text("sampler") })
    #expect(names == Set(Samplers.all.map { $0.name }))
    #expect(Self.cases.count > 80)
  }

  @Test("ten steps end at the latents of diffusers", arguments: cases)
  func latents(_ given: Case) throws {
    let sampler = try Samplers.named(given.text("sampler"))
    let prediction = try #require(Prediction(rawValue: given.text("prediction")))
    let spacing = try #require(TimestepSpacing(rawValue: given.text("spacing")))
    let schedule = NoiseSchedule(
      try #require(NoiseSchedule.Curve(rawValue: given.text("betas"))),
      zeroTerminalSNR: given.value["zero_snr"]?.bool == true)
    let whole = Trajectory(
      steps: Int(given.number("steps")), for: sampler, schedule: schedule, spacing: spacing,
      sigmas: try #require(SigmaSpacing(rawValue: given.text("sigmas"))), prediction: prediction)
    let strength = given.number("strength")
    let trajectory = strength < 1 ? whole.suffix(strength: strength) : whole
    // The schedulers with two calls a step list the time steps of both.
    let stride = sampler.evaluationsPerStep == 2 && sampler.name != "dpmpp-2s-a" ? 2 : 1
    let listed = given.numbers("timesteps")
    for (index, point) in trajectory.points.dropLast().enumerated() {
      let place = stride == 2 && index > 0 ? 2 * index - (sampler.name == "heun" ? 1 : 0) : index
      #expect(abs(point.timestep - listed[place]) < 0.02, "step \(index)")
    }

    var generator = NoiseGenerator(.torch, seed: 7)
    let first = generator.normals(32)
    let box = NoiseBox(generator)
    var calls = 0
    let run = SamplingRun(along: trajectory, prediction: prediction, noise: { box.next() }) {
      x, timestep in
      calls += 1
      return x.map {
        Float(0.9 * Double($0) + 0.1 * sin(3 * Double($0) + 0.004 * Double(timestep)))
      }
    }
    let image = (0..<32).map { Float(sin(Double($0))) }
    let start =
      strength < 1
      ? run.start(image: image, noise: first, for: sampler)
      : run.start(noise: first, for: sampler, spacing: spacing)
    let settings = SamplerSettings(
      eta: sampler.name == "ddim" ? given.number("eta") : nil,
      usesLargeVariance: given.value["large"]?.bool == true)
    let latents = try run.sample(with: sampler, settings, from: start).values

    let expected = given.numbers("latents")
    try #require(expected.count == 32)
    let deviation = (expected.reduce(0) { $0 + $1 * $1 } / 32).squareRoot()
    let error = zip(latents, expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(error <= 1e-3 * deviation, "\(error / deviation)")
    #expect(calls == sampler.evaluations(steps: trajectory.stepCount))
  }

  /// Random numbers for a closure.
  private final class NoiseBox {
    private var generator: NoiseGenerator
    init(_ generator: NoiseGenerator) { self.generator = generator }
    func next() -> [Float] { generator.normals(32) }
  }

  @Test(
    "names of the command line and of the web UIs are understood",
    arguments: [
      ("dpmpp-2m", "dpmpp-2m"), ("DPM++ 2M", "dpmpp-2m"), ("Euler a", "euler-a"),
      ("euler_a", "euler-a"), ("DPM++ 2S a", "dpmpp-2s-a"), ("UniPC", "unipc"), ("lms", "lms"),
    ])
  func names(_ given: String, _ name: String) throws {
    #expect(try Samplers.named(given).name == name)
  }

  @Test("an unknown sampler is refused with the nearest name")
  func unknown() {
    let fault = #expect(throws: Fault.self) { try Samplers.named("eular") }
    #expect(fault?.rule == .unknownSampler)
    #expect(fault?.hint == "did you mean 'euler'?")
  }

  @Test("guidance follows its formula, and rescaling keeps the deviation")
  func guidance() {
    let without: [Float] = [0, 1, 2, -1], with: [Float] = [1, 1, 3, -3]
    #expect(Guidance(scale: 1).isNeeded == false)
    #expect(Guidance(scale: 3).combined(without: without, with: with) == [3, 1, 5, -7])
    let rescaled = Guidance(scale: 3, rescale: 1).combined(without: without, with: with)
    func spread(_ x: [Float]) -> Float {
      let mean = x.reduce(0, +) / 4
      return x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
    #expect(abs(spread(rescaled) - spread(with)) < 1e-4)
  }
}
