public import Tensors

/// All samplers, by name.
public enum Samplers {
  /// All of them, in the order in which they are listed.
  public static let all: [any Sampler.Type] = [
    DDPM.self, DDIM.self, Euler.self, EulerAncestral.self, Heun.self, LMS.self, DPMSolver2M.self,
    DPMSolver2MSDE.self, DPMSolverSDE.self, DPMSolver2SAncestral.self, UniPC.self, LCM.self,
  ]

  /// The sampler called `name`, here or in the web UIs; case, blanks, hyphens and underscores are
  /// ignored.
  ///
  ///     try Samplers.named("DPM++ 2M").name   // "dpmpp-2m"
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

  /// The name in small letters without what people write in different ways.
  private static func plain(_ name: String) -> String {
    name.lowercased().replacing("++", with: "pp").filter { !" -_".contains($0) }
  }
}
