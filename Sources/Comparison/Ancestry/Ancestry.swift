import Checkpoint
import Inspection
public import StableDiffusion
public import Tensors

/// How models are related: which are copies, which lie between others, which share a part.
///
///     let ancestry = try Ancestry.of(sources, width: 2)
///     ancestry.distance(0, 1)
///     for line in ancestry.tree { print(line.depth, ancestry.models[line.model].path) }
///
/// Distances are estimated from a sample of each tensor. They have no direction: who was made from
/// whom is known where a merge was recorded in the metadata, or where a model lies on the line
/// between two others; elsewhere the tree joins what is nearest.
public struct Ancestry: Sendable {
  /// A model that lies between two others.
  public struct Blend: Hashable, Sendable {
    /// The model.
    public let model: Int
    /// The one that it is nearer to.
    public let first: Int
    /// The other one.
    public let second: Int
    /// The share of the second one, over all places.
    public let weight: Double
    /// Whether the shares at the places differ from it by more than a hundredth.
    public let isBlockWeighted: Bool
    /// How far it lies off the line, relative to the distance of the other two.
    public let residual: Double
  }

  /// What a model's metadata says about its origin.
  public struct Record: Hashable, Sendable {
    /// The model.
    public let model: Int
    /// The tool that merged it.
    public let tool: String
    /// What it was merged from.
    public let origins: [Origin]

    /// The files that it names.
    public var names: [String] { origins.map(\.name) }
    /// Those among the compared models that are its origins, each once.
    public var parents: [Int] {
      origins.compactMap(\.found).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
  }

  /// A model that another was merged from, as far as the other's metadata tell.
  public struct Origin: Hashable, Sendable {
    /// What its file was called.
    public let name: String
    /// The SHA-256 of its file, if that is recorded.
    public let sha256: String?
    /// Which of the compared models it is: the one with this SHA-256, whatever it is called now;
    /// where none is recorded or known, the one of this name.
    public let found: Int?
  }

  /// A part that several models have in common.
  public struct SharedPart: Hashable, Sendable {
    /// The part.
    public let component: Component
    /// SHA-256 of its tensors rounded to F16, with the names of single-file checkpoints.
    public let hash: String
    /// The models, in their order.
    public let models: [Int]
  }

  /// Models with the same weights.
  public struct Copies: Hashable, Sendable {
    /// The models, in their order.
    public let models: [Int]
    /// Whether all have the same bytes, not only after rounding to F16.
    public let isExact: Bool
  }

  /// One line of the tree.
  public struct Branch: Hashable, Sendable {
    /// The model.
    public let model: Int
    /// The model it hangs from; `nil` for the root.
    public let parent: Int?
    /// The distance to that one.
    public let distance: Double?
    /// The number of models above it.
    public let depth: Int
  }

  /// The models, in the order in which they were given.
  public let models: [ComparedModel]
  /// How many values of each tensor were read, at most.
  public let valuesPerTensor: Int
  /// How many tensors were sampled.
  public let tensorCount: Int
  /// How many bytes were sampled of all models.
  public let sampledByteCount: Int
  /// Models with the same weights.
  public let copies: [Copies]
  /// Parts that several models have in common.
  public let sharedParts: [SharedPart]
  /// Models that lie between two others.
  public let blends: [Blend]
  /// What metadata says.
  public let records: [Record]
  /// The models, each after the one it hangs from: a tree for each group with common tensors.
  public let tree: [Branch]

  private let distances: SampledDistances

  /// The most models that are compared: pairs grow with the square.
  public static let maximumCount = 256

  /// Compares models of one kind.
  ///
  /// - Parameters:
  ///   - sources: the open models.
  ///   - hashes: whether parts that seem to be shared are read whole and hashed, and files to find
  ///     those that metadata name by their hashes; without it no parts are named, nor copies.
  ///   - width: the number of threads; the result is the same for every number.
  ///   - environment: gives the value of an environment variable, which says where known hashes
  ///     are kept.
  ///   - progress: called with the number of bytes read since the last call, from any thread.
  /// - Returns: what is found about all of them.
  /// - Throws: ``Tensors/Rule/tooFewModels``, ``Tensors/Rule/differentKinds``; what reading throws.
  public static func of(
    _ sources: [any TensorSource], hashes: Bool = true, width: Int,
    environment: (String) -> String? = { _ in nil },
    progress: @Sendable (Int) -> Void = { _ in }
  ) throws(Fault) -> Ancestry {
    guard (2...maximumCount).contains(sources.count) else {
      throw Fault(
        .tooFewModels, sources.count < 2 ? "needs at least two models" : "takes too many models",
        expected: "2 to \(maximumCount)", found: "\(sources.count)",
        hint: "name the files of one family")
    }
    let models = sources.map { NamedModel($0) }
    for other in models.dropFirst() where other.identity.kind != models[0].identity.kind {
      throw .differentKinds(models[0], other)
    }
    let distances = try SampledDistances(models, width: width, progress: progress)
    let parts = hashes ? try PartHashes(models, distances, width: width) : PartHashes()
    let records = try AncestryRecords(
      models, hashes: hashes, width: width, environment: environment
    ).records
    return Ancestry(models, distances, parts, records)
  }

  private init(
    _ models: [NamedModel], _ distances: SampledDistances, _ parts: PartHashes, _ records: [Record]
  ) {
    self.models = models.map(\.summary)
    self.distances = distances
    valuesPerTensor = distances.valuesPerTensor
    tensorCount = distances.tensorCount
    sampledByteCount = distances.byteCount
    copies = parts.copies
    sharedParts = parts.shared
    self.records = records
    blends = Self.blends(distances, copies: parts.copies)
    tree = AncestryTree(distances, blends: blends, records: records).branches
  }

  /// The distance of two models, relative to the root mean square of both: 0 for copies, about 1.4
  /// for unrelated ones; `nil` if they have nothing in common.
  public func distance(_ a: Int, _ b: Int) -> Double? { distances.distance(a, b) }

  /// The distance of two models at one place.
  public func distance(_ a: Int, _ b: Int, at place: Place) -> Double? {
    distances.distance(a, b, at: [place])
  }
}

extension Ancestry {
  /// The last part of a path.
  static func baseName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The models that lie on the line between two others, place by place.
  private static func blends(_ distances: SampledDistances, copies: [Copies]) -> [Blend] {
    // Of copies the first stands for all.
    let repeated = Set(copies.flatMap { $0.models.dropFirst() })
    let members = (0..<distances.count).filter { !repeated.contains($0) }
    return members.compactMap { model -> Blend? in
      let from = members.map { distances.squaredDifferences($0, model) }
      var best: Blend?
      for (high, second) in members.enumerated() where second != model {
        for (low, first) in members[..<high].enumerated() where first != model {
          guard
            let blend = Blend(
              model, (first, from[low]), (second, from[high]),
              between: distances.squaredDifferences(first, second))
          else { continue }
          if best.map({ blend.residual < $0.residual }) ?? true { best = blend }
        }
      }
      return best
    }
  }
}

extension Ancestry.Blend {
  /// Beyond this share of the distance between its parents a model does not count as their blend.
  private static let tolerance = 0.02

  /// The model as a blend, if it is one: between the other two, off their line by little, and
  /// further from both than that.
  fileprivate init?(
    _ model: Int, _ a: (model: Int, squares: [Double]), _ b: (model: Int, squares: [Double]),
    between: [Double]
  ) {
    let total = between.reduce(0, +)
    guard total > 0, total.isFinite else { return nil }
    var residual = 0.0, product = 0.0
    var shares: [Double] = []
    for ((am, bm), ab) in zip(zip(a.squares, b.squares), between) {
      guard ab > 0 else {
        residual += am
        continue
      }
      let share = (ab + am - bm) / (2 * ab)
      product += share * ab
      residual += max(0, am - share * share * ab)
      // Places that hardly differ tell nothing.
      if ab > total * 1e-4 { shares.append(share) }
    }
    let weight = product / total
    let tolerance = Self.tolerance
    guard (residual / total).squareRoot() < tolerance, shares.allSatisfy({ (-0.01...1.01) ~= $0 }),
      (a.squares.reduce(0, +) / total).squareRoot() > 2 * tolerance,
      (b.squares.reduce(0, +) / total).squareRoot() > 2 * tolerance
    else { return nil }
    self.model = model
    first = weight <= 0.5 ? a.model : b.model
    second = weight <= 0.5 ? b.model : a.model
    self.weight = weight <= 0.5 ? weight : 1 - weight
    isBlockWeighted = shares.contains { abs($0 - weight) > 0.01 }
    self.residual = (residual / total).squareRoot()
  }
}
