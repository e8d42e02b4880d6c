import Tensors

/// The tensors of one module, before it is known whether they make sense together.
struct ModuleGroup {
  /// The module as the file spells it.
  let stem: TensorName
  /// Its position in ``LoRATarget/all``.
  let target: Int
  /// How the module is spelled.
  let style: PathStyle
  /// The tensors by what they are for.
  private(set) var members: [Slot: Int] = [:]
  /// All tensors, in the order of the file.
  private(set) var tensors: [Int] = []

  init(stem: TensorName, target: Int, style: PathStyle) {
    self.stem = stem
    self.target = target
    self.style = style
  }

  /// Adds a tensor; whether there was none for `slot` yet.
  mutating func add(_ tensor: Int, _ slot: Slot) -> Bool {
    tensors.append(tensor)
    guard members[slot] == nil else { return false }
    members[slot] = tensor
    return true
  }
}
