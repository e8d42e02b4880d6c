/// Classifier-free guidance: away from what the model says without a prompt.
///
/// Source: Ho and Salimans 2022 (2207.12598), in the form ε = ε_u + s (ε_c − ε_u).
public struct Guidance: Hashable, Sendable {
  /// s: 1 is no guidance; 7 to 8 is usual.
  public var scale: Double
  /// How far the deviation of each image is brought back to that with prompt, from 0 to 1.
  ///
  /// Source: Lin et al. 2023 (2305.08891), section 3.4.
  public var rescale: Double

  /// A strength of guidance.
  public init(scale: Double, rescale: Double = 0) {
    self.scale = scale
    self.rescale = rescale
  }

  /// Whether the model must be asked without prompt as well.
  public var isNeeded: Bool { scale != 1 }

  /// The guided output for `imageCount` images one after another.
  public func combined(
    without: some RandomAccessCollection<Float>, with: some RandomAccessCollection<Float>,
    imageCount: Int = 1
  ) -> [Float] {
    precondition(without.count == with.count, "outputs of different sizes")
    var guided = zip(without, with).map { u, c in Double(u) + scale * (Double(c) - Double(u)) }
    if rescale > 0, imageCount > 0 {
      let prompted = with.map { Double($0) }
      let size = guided.count / imageCount
      for start in stride(from: 0, to: size * imageCount, by: size) {
        let range = start..<start + size
        let wide = deviation(guided[range])
        guard wide > 0 else { continue }
        let factor = rescale * deviation(prompted[range]) / wide + 1 - rescale
        for index in range { guided[index] *= factor }
      }
    }
    return guided.map { Float($0) }
  }
}

/// The standard deviation of a sample.
private func deviation(_ values: ArraySlice<Double>) -> Double {
  guard values.count > 1 else { return 0 }
  let mean = values.reduce(0, +) / Double(values.count)
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (squares / Double(values.count - 1)).squareRoot()
}
