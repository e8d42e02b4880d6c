public import StableDiffusion
public import Tensors

/// How two models differ from a third, side by side.
///
/// The cosine between two changes says whether they go the same way: near 1 for two trainings of
/// the same thing, near 0 for unrelated ones, below 0 for opposite ones.
public struct ThreeWayDifference: Sendable {
  /// The angle between both models' changes, of some tensors.
  public struct Changes: Hashable, Sendable {
    /// The sum of (b − a)².
    public private(set) var squaresB = 0.0
    /// The sum of (c − a)².
    public private(set) var squaresC = 0.0
    /// The sum of (c − b)².
    public private(set) var squaresBetween = 0.0

    /// No tensors.
    public init() {}

    /// Sums of squares.
    init(_ b: Double, _ c: Double, between: Double) {
      (squaresB, squaresC, squaresBetween) = (b, c, between)
    }

    /// Includes other tensors.
    mutating func append(_ next: Changes) {
      squaresB += next.squaresB
      squaresC += next.squaresC
      squaresBetween += next.squaresBetween
    }

    /// The cosine, or `nil` where one model does not differ from the first.
    public var cosine: Double? {
      cosineBetween(squaresB, squaresC, difference: squaresBetween)
    }
  }

  /// How the second model differs from the first.
  public let b: ModelDifference
  /// How the third model differs from the first.
  public let c: ModelDifference
  /// The changes of each tensor that all three have, by its name in a single-file checkpoint.
  ///
  /// A tensor with NaN or infinities at different positions is left out.
  public let tensors: [TensorName: Changes]
  /// The changes of all tensors.
  public let total: Changes
  /// By component.
  public let components: [Component: Changes]
  /// By place.
  public let places: [Place: Changes]
  /// By role.
  public let roles: [Role: Changes]

  /// Compares two models with `a`, reading all three once.
  ///
  /// - Parameters:
  ///   - a: the model to which the others are compared.
  ///   - b: the second model.
  ///   - c: the third model.
  ///   - width: the number of threads; the result is the same for every number.
  ///   - progress: called with the number of bytes read since the last call, from any thread.
  /// - Returns: both differences, and the angles between the changes.
  /// - Throws: as ``ModelDifference/compare(_:_:width:progress:)``.
  public static func compare(
    _ a: any TensorSource, _ b: any TensorSource, _ c: any TensorSource, width: Int,
    progress: @Sendable (Int) -> Void = { _ in }
  ) throws(Fault) -> ThreeWayDifference {
    let models = [NamedModel(a), NamedModel(b), NamedModel(c)]
    try checkKinds(models)
    let pass = PairPass(
      models: models, correspondences: Correspondence.all(of: models),
      pairs: [(0, 1), (0, 2), (1, 2)])
    return ThreeWayDifference(pass, try pass.run(width: width, progress: progress))
  }

  private init(_ pass: PairPass, _ findings: [PairPass.Finding]) {
    b = ModelDifference(pass, findings, pair: 0)
    c = ModelDifference(pass, findings, pair: 1)
    var tensors: [TensorName: Changes] = [:]
    var total = Changes()
    var components: [Component: Changes] = [:]
    var places: [Place: Changes] = [:]
    var roles: [Role: Changes] = [:]
    for (correspondence, finding) in zip(pass.correspondences, findings) {
      guard let ab = finding.pairs[0]?.measures, let ac = finding.pairs[1]?.measures,
        let bc = finding.pairs[2]?.measures, ab.finiteCount == ac.finiteCount,
        ab.finiteCount == bc.finiteCount, ab.finiteCount > 0
      else { continue }
      let changes = Changes(
        ab.squaresOfDifference, ac.squaresOfDifference, between: bc.squaresOfDifference)
      tensors[correspondence.name] = changes
      total.append(changes)
      guard let parameter = correspondence.parameter else { continue }
      components[parameter.component, default: Changes()].append(changes)
      places[parameter.place, default: Changes()].append(changes)
      roles[parameter.role, default: Changes()].append(changes)
    }
    self.tensors = tensors
    self.total = total
    self.components = components
    self.places = places
    self.roles = roles
  }
}
