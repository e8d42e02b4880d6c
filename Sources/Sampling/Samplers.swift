public import Tensors

/// All samplers, by name.
public enum Samplers {
  /// All of them, in the order in which they are listed.
  public static let all: [any Sampler.Type] = [
    DDPM.self, DDIM.self, Euler.self, EulerAncestral.self, Heun.self, LMS.self, DPMSolver2M.self,
    DPMSolver2MSDE.self, DPMSolverSDE.self, DPMSolver2SAncestral.self, UniPC.self, LCM.self,
  ]

  /// The sampler called `name`, here, in the web UIs or in ComfyUI; case, blanks, hyphens and
  /// underscores are ignored.
  ///
  ///     try Samplers.named("DPM++ 2M").name            // "dpmpp-2m"
  ///     try Samplers.named("k_euler_ancestral").name   // "euler-a"
  ///
  /// - Throws: ``Tensors/Rule/unknownSampler``, with the nearest name.
  public static func named(_ name: String) throws(Fault) -> any Sampler.Type {
    let wanted = plain(name)
    if let match = all.first(where: { plain($0.name) == wanted || plain($0.title) == wanted }) {
      return match
    }
    let near =
      nearest(to: name.lowercased(), in: all.map { $0.name })
      ?? nearest(to: wanted, in: all.map { plain($0.name) })
    throw Fault(
      .unknownSampler, "there is no sampler '\(name)'",
      hint: near.map { "did you mean '\($0)'?" }
        ?? "choose one of " + all.map { $0.name }.joined(separator: ", "))
  }

  /// The sampler called `text`, which may end with a schedule, as names in the web UIs once did.
  ///
  ///     try Samplers.withSchedule("DPM++ 2M Karras")   // DPM++ 2M, .karras
  ///
  /// - Throws: ``Tensors/Rule/unknownSampler``, with the nearest name.
  public static func withSchedule(
    _ text: String
  ) throws(Fault) -> (sampler: any Sampler.Type, sigmas: SigmaSpacing?) {
    if let space = text.lastIndex(where: { " _-".contains($0) }),
      let sigmas = SigmaSpacing(named: text[text.index(after: space)...])
    {
      return (try named(String(text[..<space])), sigmas)
    }
    return (try named(text), nil)
  }

  /// The name in small letters without what people write in different ways.
  private static func plain(_ name: String) -> String {
    var name = name.lowercased().replacing("++", with: "pp").replacing("ancestral", with: "a")
    if name.hasPrefix("k_") || name.hasPrefix("k-") { name.removeFirst(2) }
    if name.hasPrefix("sample_") { name.removeFirst(7) }
    return name.filter { !" -_".contains($0) }
  }
}
