public import StableDiffusion

/// A model that was compared.
public struct ComparedModel: Hashable, Sendable {
  /// The path it was opened from.
  public let path: String
  /// What it is and what it lies in, in a few words.
  public let title: String
  /// What kind of model it is.
  public let kind: ModelKind
  /// The number of its tensors.
  public let tensorCount: Int
  /// The bytes of its tensors.
  public let byteCount: Int
}

/// A place in the network and what a layer does there: one field of a heat map.
public struct PlaceRole: Hashable, Comparable, Sendable {
  /// The place.
  public let place: Place
  /// The role.
  public let role: Role

  /// A place and a role.
  public init(_ place: Place, _ role: Role) {
    self.place = place
    self.role = role
  }

  /// By place, then by role in the order of its cases.
  public static func < (a: PlaceRole, b: PlaceRole) -> Bool {
    a.place == b.place ? a.role.order < b.role.order : a.place < b.place
  }
}

extension Role {
  /// The position among all roles.
  var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// How two models differ, tensor by tensor.
///
///     let difference = try ModelDifference.compare(a, b, width: 2)
///     difference.total.measures.relativeL2
///     difference.places[.in04]?.measures.cosine
///
/// Tensors are paired by what they are in the network, whatever the models call them.
public struct ModelDifference: Sendable {
  /// The first model.
  public let a: ComparedModel
  /// The second model.
  public let b: ComparedModel
  /// Every tensor of either: the network's in its order, then the others by name.
  public let tensors: [TensorDifference]
  /// All tensors together.
  public let total: DifferenceGroup
  /// By component.
  public let components: [Component: DifferenceGroup]
  /// By place; 29 places for a whole model.
  public let places: [Place: DifferenceGroup]
  /// By role.
  public let roles: [Role: DifferenceGroup]
  /// By place and role, for a heat map.
  public let placeRoles: [PlaceRole: DifferenceGroup]
  /// What is no part of the network.
  public let others: DifferenceGroup

  /// Sums up the differences of `tensors`.
  public init(_ a: ComparedModel, _ b: ComparedModel, tensors: [TensorDifference]) {
    self.a = a
    self.b = b
    self.tensors = tensors
    var total = DifferenceGroup(), others = DifferenceGroup()
    var components: [Component: DifferenceGroup] = [:]
    var places: [Place: DifferenceGroup] = [:]
    var roles: [Role: DifferenceGroup] = [:]
    var placeRoles: [PlaceRole: DifferenceGroup] = [:]
    for tensor in tensors {
      total.append(tensor)
      guard let place = tensor.place, let role = tensor.role, let component = tensor.component
      else {
        others.append(tensor)
        continue
      }
      components[component, default: DifferenceGroup()].append(tensor)
      places[place, default: DifferenceGroup()].append(tensor)
      roles[role, default: DifferenceGroup()].append(tensor)
      placeRoles[PlaceRole(place, role), default: DifferenceGroup()].append(tensor)
    }
    self.total = total
    self.components = components
    self.places = places
    self.roles = roles
    self.placeRoles = placeRoles
    self.others = others
  }
}

extension ModelDifference {
  /// Whether both models hold the same tensors with the same bytes.
  public var isIdentical: Bool { total.isIdentical }

  /// The tensors that differ more than `tolerance`; see ``TensorDifference/exceeds(_:)``.
  public func exceeding(_ tolerance: Double) -> [TensorDifference] {
    tensors.filter { $0.exceeds(tolerance) }
  }

  /// The tensors that differ most, the greatest relative L2 first.
  ///
  /// Tensors with NaN or infinities on one side only come first, then those without a relative
  /// distance because the first model's are zero; equal ones in network order.
  public func mostChanged(_ count: Int) -> [TensorDifference] {
    func rank(_ tensor: TensorDifference) -> Double {
      guard let measures = tensor.measures else { return -1 }
      if measures.nanCountA != measures.nanCountB
        || measures.infinityCountA != measures.infinityCountB
      {
        return .infinity
      }
      return measures.relativeL2 ?? .greatestFiniteMagnitude
    }
    let changed = tensors.enumerated().filter { $0.element.status == .changed }
      .map { (index: $0.offset, rank: rank($0.element)) }
    return changed.sorted { ($1.rank, $0.index) < ($0.rank, $1.index) }
      .prefix(max(0, count)).map { tensors[$0.index] }
  }
}
