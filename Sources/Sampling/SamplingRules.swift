public import Tensors

extension Rule {
  /// A sampler that does not exist.
  public static let unknownSampler = Rule(
    "GN001", .fatal, "unknown sampler",
    "No sampler has that name. Names of the web UIs are understood too, such as 'DPM++ 2M' or "
      + "'Euler a'; how the noise falls is chosen apart from the sampler, with --schedule.")

  /// All rules about samplers.
  public static let samplingRules: [Rule] = [.unknownSampler]
}
