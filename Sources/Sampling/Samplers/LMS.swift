public import Tensors

/// Linear multistep method: a polynomial through the last four slopes, integrated over the step.
///
/// Source: Adams and Bashforth's method for unequal steps, as `sample_lms` of k-diffusion has it.
public struct LMS: Sampler {
  /// `lms`.
  public static let name = "lms"
  /// LMS.
  public static let title = "LMS"
  /// Any time steps.
  public static let layout = SamplerLayout.continuous
  /// The image keeps its scale.
  public static let scale = LatentScale.exploding

  private var slopes: [Latents] = []

  /// A sampler that has made no step yet.
  public init(_ settings: SamplerSettings) {}

  /// One step.
  public mutating func step(
    _ x: inout Latents, from index: Int, in run: SamplingRun
  ) throws(Fault) {
    let here = run.points[index]
    slopes.insert((x - (try run.image(exploding: x, at: here))) / here.sigma, at: 0)
    if slopes.count > 4 { slopes.removeLast() }
    let nodes = slopes.indices.map { run.points[index - $0].sigma }
    for (number, slope) in slopes.enumerated() {
      let weight = Self.integral(
        ofBasis: number, nodes: nodes, from: here.sigma, to: run.points[index + 1].sigma)
      x = x + weight * slope
    }
  }

  /// The integral of the polynomial that is 1 at node `number` and 0 at the others.
  static func integral(
    ofBasis number: Int, nodes: [Double], from start: Double, to end: Double
  ) -> Double {
    // Two points of Gauss and Legendre are exact up to the third degree, which is what there is.
    let middle = (start + end) / 2, half = (end - start) / 2
    let offset = half / 3.0.squareRoot()
    return half
      * [middle - offset, middle + offset].reduce(0) { sum, place in
        sum
          + nodes.indices.reduce(1) { product, other in
            other == number
              ? product : product * (place - nodes[other]) / (nodes[number] - nodes[other])
          }
      }
  }
}
