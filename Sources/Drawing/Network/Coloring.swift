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
    case numbers([Sample?], ramp: Ramp, isRoot: Bool, written: Notation)
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
  ///   - range: the values at the ends of the scale, which has two colours if it begins below 0.
  ///   - isRoot: whether a field shows the square root of the quotient, as norms need.
  ///   - notation: how numbers are written.
  public init(
    _ title: String, samples: [Sample?], range: ClosedRange<Double>, isRoot: Bool = false,
    notation: Notation = .decimal
  ) {
    self.title = title
    content = .numbers(samples, ramp: Ramp(range), isRoot: isRoot, written: notation)
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
    var weights: [Double] = []
    let samples: [Sample?] = schema.parameters.map { parameter in
      guard let weight = weight(parameter), weight.isFinite else { return nil }
      weights.append(weight)
      let count = Double(parameter.elementCount)
      return Sample(weight * count, over: count)
    }
    return Coloring(title, samples: samples, range: Ramp(over: weights, least: 1).range)
  }

  /// A relative change `‖after - before‖ / ‖before‖` for each parameter.
  ///
  /// The scale ends at the largest value that a field can have.
  public static func change(_ title: String, samples: [Sample?]) -> Coloring {
    let values = samples.compactMap { sample -> Double? in
      guard let sample, sample.denominator > 0, sample.state == .measured else { return nil }
      return (sample.numerator / sample.denominator).squareRoot()
    }
    return Coloring(
      title, samples: samples, range: Ramp(over: values).range, isRoot: true,
      notation: .percentage)
  }

  /// The same colours on a scale that ends at the largest value of any of `fields`.
  func fitted(to fields: [Range<Int>]) -> Coloring {
    guard case .numbers(let samples, _, true, let notation) = content else { return self }
    let values = fields.compactMap { value(of: [$0]) }
    var copy = Coloring(
      title, samples: samples, range: Ramp(over: values).range, isRoot: true, notation: notation)
    copy.absent = absent
    return copy
  }

  /// The states that some parameter is in, those that are no numbers.
  var usedStates: [State] {
    guard case .numbers(let samples, _, _, _) = content else { return [] }
    let used = Set(samples.compactMap { $0?.state })
    return State.allCases.filter { $0 != .measured && used.contains($0) }
  }

  /// Whether there are parameters of which nothing is known.
  var hasAbsent: Bool {
    switch content {
    case .numbers(let samples, _, _, _): samples.contains { $0 == nil }
    case .categories(let classes, _, _): classes.contains { $0 == nil }
    }
  }

  /// The last state of a field's parameters.
  func state(of ranges: [Range<Int>]) -> State {
    guard case .numbers(let samples, _, _, _) = content else { return .measured }
    return ranges.joined().reduce(.measured) { last, position in
      guard samples.indices.contains(position), let sample = samples[position] else { return last }
      return max(last, sample.state)
    }
  }

  /// The number of a field, if it has one.
  func value(of ranges: [Range<Int>]) -> Double? {
    guard case .numbers(let samples, _, let isRoot, _) = content else { return nil }
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
    case .numbers(_, let ramp, _, let notation):
      let state = state(of: ranges)
      guard state == .measured else { return (.token(state.token), .token(.ink), state.words) }
      guard let value = value(of: ranges) else {
        return (.token(.absent), .token(.ink), "")
      }
      let look = ramp.look(of: value)
      return (look.fill, look.ink, Self.written(value, notation))
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
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-∞" : "∞" }
    switch notation {
    case .decimal: return Written.decimal(value, digits: 2)
    case .percentage:
      let share = value * 100, size = share.magnitude
      if size == 0 { return "0%" }
      if size < 0.01 { return share < 0 ? ">-0.01%" : "<0.01%" }
      return Written.decimal(share, digits: size < 10 ? 2 : size < 100 ? 1 : 0) + "%"
    }
  }
}
