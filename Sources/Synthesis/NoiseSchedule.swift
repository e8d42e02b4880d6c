import Glibc

/// The noise schedule that training stores beside the weights: 1,000 steps, "scaled linear".
///
/// Source: the latent-diffusion implementation, `DDPM.register_schedule`.
struct NoiseSchedule {
  /// The tables, sorted by name.
  let tables: [(name: String, values: [Double])]

  init() {
    let count = 1_000
    let first = 0.00085.squareRoot()
    let step = (0.0120.squareRoot() - first) / Double(count - 1)
    var tables: [String: [Double]] = [:]
    var product = 1.0
    for index in 0..<count {
      let root = first + step * Double(index)
      let beta = root * root
      let previous = product
      product *= 1 - beta
      let variance = beta * (1 - previous) / (1 - product)
      let row: [(String, Double)] = [
        ("betas", beta),
        ("alphas_cumprod", product),
        ("alphas_cumprod_prev", previous),
        ("sqrt_alphas_cumprod", product.squareRoot()),
        ("sqrt_one_minus_alphas_cumprod", (1 - product).squareRoot()),
        ("log_one_minus_alphas_cumprod", log(1 - product)),
        ("sqrt_recip_alphas_cumprod", (1 / product).squareRoot()),
        ("sqrt_recipm1_alphas_cumprod", (1 / product - 1).squareRoot()),
        ("posterior_variance", variance),
        ("posterior_log_variance_clipped", log(max(variance, 1e-20))),
        ("posterior_mean_coef1", beta * previous.squareRoot() / (1 - product)),
        ("posterior_mean_coef2", (1 - previous) * (1 - beta).squareRoot() / (1 - product)),
      ]
      for (name, value) in row { tables[name, default: []].append(value) }
    }
    self.tables = tables.sorted { $0.key < $1.key }.map { (name: $0.key, values: $0.value) }
  }
}
