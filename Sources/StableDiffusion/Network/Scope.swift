/// A spot in the network under construction: a path, a place, and what to put at each leaf.
struct Scope<Leaf> {
  let component: Component
  let dimensions: Dimensions
  private let leaf: (Parameter) -> Leaf
  private var path = ModulePath(ldm: "", diffusers: "")
  private var place: Place
  private var modules: [ModuleLabel] = []

  init(
    _ component: Component, _ className: String, place: Place, dimensions: Dimensions,
    leaf: @escaping (Parameter) -> Leaf
  ) {
    self.component = component
    self.dimensions = dimensions
    self.leaf = leaf
    self.place = place
    modules = [ModuleLabel(className: className, path: path)]
  }

  /// One of the model's widths.
  subscript(width: Dimensions.Width) -> Int { dimensions[width] }

  /// A spot below this one; `diffusers` is as in the original naming unless given.
  func callAsFunction(_ ldm: String, _ diffusers: String? = nil, place: Place? = nil) -> Scope {
    func join(_ a: String, _ b: String) -> String { a.isEmpty ? b : a + "." + b }
    var child = self
    child.path = ModulePath(
      ldm: join(path.ldm, ldm), diffusers: join(path.diffusers, diffusers ?? ldm))
    child.place = place ?? self.place
    return child
  }

  /// This spot, as a module of the class `className`.
  func module(_ className: String) -> Scope { module(className, path) }

  /// This spot inside a block that is a module in diffusers only.
  func module(_ className: String, spanning ldm: String, _ diffusers: String) -> Scope {
    module(className, ModulePath(ldm: ldm, diffusers: diffusers))
  }

  private func module(_ className: String, _ path: ModulePath) -> Scope {
    var child = self
    child.modules.append(ModuleLabel(className: className, path: path))
    return child
  }

  /// What stands for one tensor of the layer at this spot.
  func parameter(
    _ slot: Parameter.Slot, _ operation: LayerOperation, _ shape: [Int],
    matrixInDiffusers: Bool = false, optional: Bool = false
  ) -> Leaf {
    leaf(
      Parameter(
        module: path, slot: slot, operation: operation, shape: shape, component: component,
        place: place, modules: modules, isMatrixInDiffusers: matrixInDiffusers,
        isOptional: optional))
  }
}
