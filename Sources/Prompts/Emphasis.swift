/// Applies the weights of tokens to what the text encoder made of them.
///
/// Each token's vector is multiplied by its weight; then all are scaled so that their mean is what
/// it was before.
///
/// Source: "Original" emphasis of AUTOMATIC1111's web UI.
///
/// - Parameters:
///   - weights: one for each token.
///   - values: one vector for each weight, one after another.
public func applyEmphasis(_ weights: [Double], to values: inout [Float]) {
  guard !weights.isEmpty, weights.contains(where: { $0 != 1 }) else { return }
  let width = values.count / weights.count
  precondition(width * weights.count == values.count, "one weight for each vector")
  let before = values.reduce(0.0) { $0 + Double($1) }
  var weighted = values.map { Double($0) }
  for (token, weight) in weights.enumerated() where weight != 1 {
    for index in token * width..<(token + 1) * width { weighted[index] *= weight }
  }
  let after = weighted.reduce(0, +)
  // Where the mean vanishes there is nothing to scale by.
  let scale = after == 0 ? 1 : before / after
  values = weighted.map { Float($0 * scale) }
}
