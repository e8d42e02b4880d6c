public import StableDiffusion
public import Tensors

/// What the tensors at a place become.
public enum PlaceWeight: Hashable, Sendable {
  /// Merged with this weight of the second model.
  case weight(Double)
  /// The first model's, unchanged, whatever the method.
  case kept
}

extension PlaceWeight: CustomStringConvertible {
  /// The number, or `keep`.
  public var description: String {
    switch self {
    case .weight(let weight): spelled(weight)
    case .kept: "keep"
    }
  }
}

/// A weight for one place or a range of places, given by name.
///
///     try PlaceSetting("CLIP=0.2")
///     try PlaceSetting("IN03..IN05=0.5")
///     try PlaceSetting("VAE=keep")
///     try PlaceSetting("BASE=0")     // CLIP and VAE
public struct PlaceSetting: Hashable, Sendable {
  /// The places, in order.
  public let places: [Place]
  /// What they get.
  public let weight: PlaceWeight

  /// The given weight for all places from `first` to `last`; `nil` if `last` comes before `first`.
  public init?(_ first: Place, through last: Place, _ weight: PlaceWeight) {
    guard first <= last else { return nil }
    places = Place.allCases.filter { (first...last).contains($0) }
    self.weight = weight
  }

  private init(places: [Place], _ weight: PlaceWeight) {
    self.places = places
    self.weight = weight
  }

  /// Reads `PLACE=WEIGHT` or `FIRST..LAST=WEIGHT`.
  ///
  /// - Throws: ``Tensors/Rule/placeSetting``, ``Tensors/Rule/unknownPlace`` or
  ///   ``Tensors/Rule/weightSyntax``.
  public init(_ text: String) throws(Fault) {
    guard let equals = text.firstIndex(of: "=") else {
      throw Fault(
        .placeSetting, "has a block setting without '='", expected: "PLACE=WEIGHT",
        found: "'\(shortened(text))'", hint: "for example CLIP=0.2 or IN03..IN05=0.5")
    }
    try self.init(
      places: String(text[..<equals]), weight: String(text[text.index(after: equals)...]))
  }

  /// Reads places and weight apart: `"IN03..IN05"` and `"0.5"`.
  init(places text: String, weight: String) throws(Fault) {
    let name = trimmed(text)
    let weight = trimmed(weight)
    let value: PlaceWeight =
      ["keep", "kept"].contains(weight.lowercased())
      ? .kept : .weight(try readWeight(weight, at: "the setting of '\(shortened(name))'"))
    guard let dots = name.firstRange(of: "..") else {
      self.init(places: try Self.places(named: name), value)
      return
    }
    let (first, last) = (trimmed(name[..<dots.lowerBound]), trimmed(name[dots.upperBound...]))
    guard let begin = try Self.places(named: first).first,
      let end = try Self.places(named: last).last
    else { throw Self.unknown(name) }
    guard let range = PlaceSetting(begin, through: end, value) else {
      throw Fault(
        .placeSetting, "has a range of blocks that runs backwards", expected: "\(end)..\(begin)",
        found: "\(begin)..\(end)",
        hint: "the order is CLIP, VAE, TIME, IN00 to IN11, M00, OUT00 to OUT11, OUT")
    }
    self = range
  }

  /// The places that `name` stands for.
  static func places(named name: some StringProtocol) throws(Fault) -> [Place] {
    if let place = Place(name) { return [place] }
    guard name.uppercased() == "BASE" else { throw unknown(name) }
    return [.clip, .vae]
  }

  private static func unknown(_ name: some StringProtocol) -> Fault {
    Fault(
      .unknownPlace, "has no place called '\(shortened(name))'",
      hint: suggestion(
        for: String(name), among: ["BASE"] + Place.allCases.map(\.description),
        otherwise: "places are CLIP, VAE, TIME, IN00 to IN11, M00, OUT00 to OUT11 and OUT"))
  }
}

extension PlaceSetting: CustomStringConvertible {
  /// The places as ``init(_:)`` reads them, without the weight: `IN03..IN05`.
  public var range: String {
    guard let first = places.first, let last = places.last, first != last else {
      return places.first?.description ?? ""
    }
    return "\(first)..\(last)"
  }

  /// The spelling that ``init(_:)`` reads.
  public var description: String { "\(range)=\(weight)" }
}
