import Tensors

/// Every name that is accepted for a parameter of the network, whatever its widths.
///
/// Parameters are numbered as in ``Schema/complete``, which has every one that some choice of
/// widths gives a network.
struct NameTable: Sendable {
  /// A parameter found by name.
  struct Match {
    let parameter: Int
    let spelling: Spelling
  }

  private struct Entry {
    let parameter: Int
    let component: Component
    let naming: Naming?
    let isAlias: Bool
  }

  static let shared = NameTable()

  /// The longest name worth looking up; no real one comes near.
  static let longestName = 256

  /// By name within the component; no two components share one.
  private let entries: [TensorName: Entry]
  /// The moving averages by name, after `model_ema.`.
  private let averages: [TensorName: Int]

  private init() {
    let parameters = Schema.complete.parameters
    var entries = [TensorName: Entry](minimumCapacity: 2_200)
    var averages = [TensorName: Int](minimumCapacity: 1_000)
    for (index, parameter) in parameters.enumerated() {
      let component = parameter.component
      func add(_ path: String, _ naming: Naming?, isAlias: Bool = false) {
        entries[TensorName(path + "." + parameter.slot.rawValue)] = Entry(
          parameter: index, component: component, naming: naming, isAlias: isAlias)
      }
      let module = parameter.module
      if module.ldm == module.diffusers {
        add(module.ldm, nil)
      } else {
        add(module.ldm, .ldm)
        add(module.diffusers, .diffusers)
      }
      if component == .textEncoder {
        // NovelAI's checkpoints and transformers from 5.6 on have one module less around it.
        add(String(module.ldm.dropFirst("text_model.".count)), nil, isAlias: true)
      } else {
        let prefix = component == .unet ? "diffusion_model" : ""
        averages[TensorName(prefix + (module.ldm + parameter.slot.rawValue).withoutDots)] = index
      }
      if component == .vae, let old = Self.oldAttentionPath(module.diffusers) {
        add(old, .diffusers, isAlias: true)
      }
    }
    self.entries = entries
    self.averages = averages
  }

  /// What diffusers called the layers of the VAE's attention before 0.17.
  private static func oldAttentionPath(_ path: String) -> String? {
    for (new, old) in [
      (".to_q", ".query"), (".to_k", ".key"), (".to_v", ".value"), (".to_out.0", ".proj_attn"),
    ] where path.hasSuffix(new) {
      return path.dropLast(new.count) + old
    }
    return nil
  }

  /// The parameter that `name` spells, if any.
  func match(_ name: TensorName) -> Match? {
    guard name.utf8.count <= Self.longestName, let first = name.utf8.first else { return nil }
    for prefix in NamePrefix.all where prefix.text.utf8.first == first {
      if let rest = name.dropping(prefix: prefix.text) {
        if let entry = entries[rest], entry.component == prefix.component {
          return Match(
            parameter: entry.parameter,
            spelling: Spelling(
              container: prefix.container, naming: entry.naming, isAlias: entry.isAlias))
        }
      }
    }
    return entries[name].map {
      Match(
        parameter: $0.parameter,
        spelling: Spelling(container: .bare, naming: $0.naming, isAlias: $0.isAlias))
    }
  }

  /// The parameter whose moving average is called `name`, if any.
  func average(_ name: TensorName) -> Int? {
    guard name.utf8.count <= Self.longestName else { return nil }
    return name.dropping(prefix: "model_ema.").flatMap { averages[$0] }
  }
}
