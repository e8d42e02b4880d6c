public import Tensors

/// Every tensor of a network that is built like Stable Diffusion 1.5, in network order.
///
///     let schema = Schema.sd15
///     schema.parameters.count                                 // 1130
///     schema["first_stage_model.quant_conv.weight"]?.shape    // [8, 8, 1, 1]
///     schema["vae/quant_conv.weight"] == schema["quant_conv.weight"]  // true
public struct Schema: Sendable {
  /// The schema of Stable Diffusion 1.5.
  public static let sd15 = Schema(.sd15)

  /// The schema of a network whose widths all differ: it has every parameter that any one has.
  package static let complete = Schema(.primes, isComplete: true)

  /// The widths of the network.
  public let dimensions: Dimensions
  /// Every parameter: text encoder, U-Net, VAE.
  public let parameters: [Parameter]

  private let ranges: [Range<Int>]
  /// The position here of each parameter of ``complete``; -1 where this network has none.
  private let positions: [Int]

  /// The schema of a network with the given widths.
  public init(_ dimensions: Dimensions) { self.init(dimensions, isComplete: false) }

  private init(_ dimensions: Dimensions, isComplete: Bool) {
    var all: [Parameter] = []
    all.reserveCapacity(1_140)
    var ends: [Int] = []
    _ = TextEncoder<Void>(dimensions) { all.append($0) }
    ends.append(all.count)
    _ = UNet<Void>(dimensions) { all.append($0) }
    ends.append(all.count)
    _ = VAE<Void>(dimensions) { all.append($0) }
    self.dimensions = dimensions
    parameters = all
    ranges = [0..<ends[0], ends[0]..<ends[1], ends[1]..<all.count]
    guard !isComplete else {
      positions = Array(all.indices)
      return
    }
    // Both lists are in network order, so one walk pairs them.
    var next = 0
    positions = Schema.complete.parameters.map { parameter in
      guard next < all.count, all[next].slot == parameter.slot,
        all[next].module == parameter.module, all[next].component == parameter.component
      else { return -1 }
      next += 1
      return next - 1
    }
  }

  /// The positions in ``parameters`` of a component's parameters.
  public func range(of component: Component) -> Range<Int> {
    switch component {
    case .textEncoder: ranges[0]
    case .unet: ranges[1]
    case .vae: ranges[2]
    }
  }

  /// The parameters of one component, in network order.
  public func parameters(of component: Component) -> ArraySlice<Parameter> {
    parameters[range(of: component)]
  }

  /// A parameter found by name.
  public struct Match: Hashable, Sendable {
    /// Its position in ``Schema/parameters``.
    public let parameter: Int
    /// How the name spells it.
    public let spelling: Spelling
  }

  /// The parameter that `name` spells, in whatever naming and with whatever prefix, if any.
  public func match(_ name: TensorName) -> Match? {
    guard let match = NameTable.shared.match(name), let own = position(of: match.parameter) else {
      return nil
    }
    return Match(parameter: own, spelling: match.spelling)
  }

  /// The parameter that `name` spells, in whatever naming and with whatever prefix, if any.
  public subscript(name: TensorName) -> Parameter? { match(name).map { parameters[$0.parameter] } }

  /// The position here of a parameter of ``complete``.
  package func position(of complete: Int) -> Int? {
    let own = positions[complete]
    return own < 0 ? nil : own
  }
}
