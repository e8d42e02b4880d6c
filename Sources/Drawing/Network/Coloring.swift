import Inspection
public import StableDiffusion

/// What the fields of a network are coloured by.
///
/// A field's value is made from those of its parameters, each with its share, so that a block shows
/// what its tensors say together.
public struct Coloring: Sendable {
  /// Whether a parameter has a number; a field has the last state of its parameters.
  public enum State: Int, CaseIterable, Comparable, Sendable {
    /// It has one.
    case measured
    /// It is missing on one side, or has another shape there.
    case notCompared
    /// Some of its values are infinite.
    case infinite
    /// Some of its values are not a number.
    case notANumber

    /// By what is to be looked at first.
    public static func < (a: State, b: State) -> Bool { a.rawValue < b.rawValue }

    /// What stands in a field in place of a number.
    var words: String {
      switch self {
      case .measured: ""
      case .notCompared: "not compared"
      case .infinite: "∞"
      case .notANumber: "NaN"
      }
    }

    /// The colour of such a field.
    var token: Token { self == .notCompared ? .warning : .bad }

    /// What a legend says.
    var legend: String {
      switch self {
      case .measured: ""
      case .notCompared: "not compared: missing or of another shape"
      case .infinite: "∞: holds infinities"
      case .notANumber: "NaN: holds what is not a number"
      }
    }
  }

  /// What is known of one parameter.
  public struct Sample: Hashable, Sendable {
    /// What is added up above the line.
    public var numerator: Double
    /// What is added up below it.
    public var denominator: Double
    /// What became of the parameter.
    public var state = State.measured

    /// A parameter without a number.
    public init(_ state: State) {
      self.init(0, over: 0)
      self.state = state
    }

    /// A share `numerator / denominator`.
    public init(_ numerator: Double, over denominator: Double) {
      self.numerator = numerator
      self.denominator = denominator
    }
  }

  /// One of several classes that a field may belong to.
  public struct Category: Hashable, Sendable {
    /// Its name.
    public var title: String
    /// Its colour.
    public var token: Token

    /// A class.
    public init(_ title: String, _ token: Token) {
      self.title = title
      self.token = token
    }
  }

  /// How values are shown.
  enum Content: Sendable {
    case numbers(
      [Sample?], scale: Scale, range: ClosedRange<Double>, isRoot: Bool, written: Notation)
    case categories([Int?], [Category], join: Join)
  }

  /// How numbers are written.
  public enum Notation: Sendable {
    /// With two digits after the point.
    case decimal
    /// As a percentage.
    case percentage
  }

  /// What a field with parameters of several classes belongs to.
  public enum Join: Sendable {
    /// The last of them in the list.
    case highest
    /// The last class of all, which stands for mixtures.
    case mixed
  }

  /// What the colours show, with the unit.
  public let title: String
  /// What fields without a value are.
  public var absent = "not known"
  let content: Content

  /// Colours for numbers, the value of a field being `Σ numerator / Σ denominator`.
  ///
  /// - Parameters:
  ///   - title: what is shown, with the unit.
  ///   - samples: for each parameter of the schema; `nil` where nothing is known.
  ///   - scale: the colours.
  ///   - range: the values at the ends of the scale.
  ///   - isRoot: whether a field shows the square root of the quotient, as norms need.
  ///   - notation: how numbers are written.
  public init(
    _ title: String, samples: [Sample?], scale: Scale = .amount, range: ClosedRange<Double>,
    isRoot: Bool = false, notation: Notation = .decimal
  ) {
    self.title = title
    content = .numbers(samples, scale: scale, range: range, isRoot: isRoot, written: notation)
  }

  /// Colours for classes.
  ///
  /// - Parameters:
  ///   - title: what is shown.
  ///   - classes: for each parameter of the schema its class; `nil` where nothing is known.
  ///   - categories: the classes.
  ///   - join: what fields with several are.
  public init(_ title: String, classes: [Int?], categories: [Category], join: Join) {
    self.title = title
    content = .categories(classes, categories, join: join)
  }

  /// One weight for each parameter of `schema`, 0 for the first model and 1 for the second.
  public static func weights(
    _ title: String, schema: Schema, _ weight: (Parameter) -> Double?
  ) -> Coloring {
    var least = 0.0, most = 1.0
    let samples: [Sample?] = schema.parameters.map { parameter in
      guard let weight = weight(parameter), weight.isFinite else { return nil }
      least = min(least, weight)
      most = max(most, weight)
      let count = Double(parameter.elementCount)
      return Sample(weight * count, over: count)
    }
    guard least < 0 else {
      return Coloring(title, samples: samples, range: 0...most)
    }
    let limit = max(-least, most)
    return Coloring(title, samples: samples, scale: .balance, range: -limit...limit)
  }

  /// A relative change `‖after - before‖ / ‖before‖` for each parameter.
  ///
  /// The scale ends at the largest value that a field can have.
  public static func change(_ title: String, samples: [Sample?]) -> Coloring {
    let most = samples.reduce(0) { most, sample in
      guard let sample, sample.denominator > 0, sample.state == .measured else { return most }
      let value = (sample.numerator / sample.denominator).squareRoot()
      return value.isFinite ? max(most, value) : most
    }
    return Coloring(
      title, samples: samples, range: 0...(most > 0 ? most : 1), isRoot: true,
      notation: .percentage)
  }

  /// The same colours on a scale that ends at the largest value of any of `fields`.
  func fitted(to fields: [Range<Int>]) -> Coloring {
    guard case .numbers(let samples, let scale, _, true, let notation) = content else {
      return self
    }
    let most = fields.compactMap { value(of: [$0]) }.filter(\.isFinite).max() ?? 0
    var copy = Coloring(
      title, samples: samples, scale: scale, range: 0...(most > 0 ? most : 1), isRoot: true,
      notation: notation)
    copy.absent = absent
    return copy
  }

  /// The states that some parameter is in, those that are no numbers.
  var usedStates: [State] {
    guard case .numbers(let samples, _, _, _, _) = content else { return [] }
    let used = Set(samples.compactMap { $0?.state })
    return State.allCases.filter { $0 != .measured && used.contains($0) }
  }

  /// Whether there are parameters of which nothing is known.
  var hasAbsent: Bool {
    switch content {
    case .numbers(let samples, _, _, _, _): samples.contains { $0 == nil }
    case .categories(let classes, _, _): classes.contains { $0 == nil }
    }
  }

  /// The last state of a field's parameters.
  func state(of ranges: [Range<Int>]) -> State {
    guard case .numbers(let samples, _, _, _, _) = content else { return .measured }
    return ranges.joined().reduce(.measured) { last, position in
      guard samples.indices.contains(position), let sample = samples[position] else { return last }
      return max(last, sample.state)
    }
  }

  /// The number of a field, if it has one.
  func value(of ranges: [Range<Int>]) -> Double? {
    guard case .numbers(let samples, _, _, let isRoot, _) = content else { return nil }
    var numerator = 0.0, denominator = 0.0, isKnown = false
    for position in ranges.joined() {
      guard samples.indices.contains(position), let sample = samples[position] else { continue }
      isKnown = true
      numerator += sample.numerator
      denominator += sample.denominator
    }
    guard isKnown, state(of: ranges) == .measured else { return nil }
    // What came from nothing is not measured by what it came from; no change of nothing is none.
    guard denominator > 0 else { return numerator > 0 ? .infinity : 0 }
    return isRoot ? (numerator / denominator).squareRoot() : numerator / denominator
  }

  /// What a field with the given parameters says, in at most seven characters or a class's name.
  package func words(of ranges: [Range<Int>]) -> String { look(of: ranges).words }

  /// The colour, the ink on it, and the words for a field with the given parameters.
  func look(of ranges: [Range<Int>]) -> (fill: Paint, ink: Paint, words: String) {
    switch content {
    case .numbers(_, let scale, let range, _, let notation):
      let state = state(of: ranges)
      guard state == .measured else { return (.token(state.token), .token(.ink), state.words) }
      guard let value = value(of: ranges) else {
        return (.token(.absent), .token(.ink), "")
      }
      let width = range.upperBound - range.lowerBound
      let share = width > 0 ? (value - range.lowerBound) / width : 0
      let step = Scale.step(of: share)
      let fill: Paint = value.isNaN ? .token(.bad) : .scale(scale, step)
      return (
        fill, value.isNaN ? .token(.ink) : .onScale(scale, step), Self.written(value, notation)
      )
    case .categories(let classes, let categories, let join):
      let found = Set(
        ranges.joined().compactMap { classes.indices.contains($0) ? classes[$0] : nil })
      guard let highest = found.max(), categories.indices.contains(highest) else {
        return (.token(.absent), .token(.ink), "")
      }
      let own = join == .mixed && found.count > 1 ? categories.count - 1 : highest
      return (.token(categories[own].token), .token(.ink), categories[own].title)
    }
  }

  /// A value in a field: at most seven characters.
  static func written(_ value: Double, _ notation: Notation) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : "∞" }
    switch notation {
    case .decimal: return Written.decimal(value, digits: 2)
    case .percentage:
      let share = value * 100
      if share == 0 { return "0%" }
      if share < 0.01 { return "<0.01%" }
      return Written.decimal(share, digits: share < 10 ? 2 : share < 100 ? 1 : 0) + "%"
    }
  }
}
