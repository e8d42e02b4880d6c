public import Tensors

/// How much of the models a method must see to compute one value.
public enum MergeReach: Sendable {
  /// The values at the same place: any chunk of a tensor can be computed alone, in any order.
  case elements
  /// The whole tensor in every model: it is passed in one piece.
  case tensor
  /// All tensors: the method is a ``SurveyingMergeMethod``, and every tensor is passed twice.
  case model
}

/// Which models a method takes, in the order of the command line.
public struct MergeInputs: Hashable, Sendable {
  /// Where the model stands that the differences are taken from.
  public enum Base: Sendable { case first, last }

  /// What each input is called in the formula; the last one repeats if ``isOpen``.
  public let names: [String]
  /// Whether any number of further models may follow.
  public let isOpen: Bool
  /// The model that the differences are taken from, if the formula has one.
  public let base: Base?

  /// A alone.
  public static let one = MergeInputs(names: ["A"], isOpen: false, base: nil)
  /// A and B.
  public static let two = MergeInputs(names: ["A", "B"], isOpen: false, base: nil)
  /// A, B and C, all alike.
  public static let three = MergeInputs(names: ["A", "B", "C"], isOpen: false, base: nil)
  /// A, B, and the model C that they were made from.
  public static let twoAndBase = MergeInputs(names: ["A", "B", "C"], isOpen: false, base: .last)
  /// A, and two models B and C that were made from it.
  public static let baseAndTwo = MergeInputs(names: ["A", "B", "C"], isOpen: false, base: .first)
  /// Any number of models.
  public static let any = MergeInputs(names: ["M₁", "M₂"], isOpen: true, base: nil)
  /// A base, and any number of models that were made from it.
  public static let baseAndAny = MergeInputs(names: ["B", "M₁"], isOpen: true, base: .first)
  /// A base, and at least two models that were made from it.
  public static let baseAndSeveral = MergeInputs(
    names: ["B", "M₁", "M₂"], isOpen: true, base: .first)

  /// The number of models that `count` inputs give a weight to: all, or all but the base.
  public func weighted(of count: Int) -> Int { base == nil ? count : count - 1 }
}

/// One tensor, or a chunk of one, that is being computed.
public struct MergedTensor: Sendable {
  /// Its name in the output.
  public var name: TensorName
  /// The shape of the whole tensor.
  public var shape: [Int]
  /// Where the chunk begins: the index of its first value in the whole tensor.
  public var first: Int
  /// How the result will be stored; the executor rounds to it.
  public var output: DType

  /// A tensor, or the chunk of it that begins at value `first`.
  public init(name: TensorName, shape: [Int], first: Int = 0, output: DType = .f32) {
    self.name = name
    self.shape = shape
    self.first = first
    self.output = output
  }
}

/// A way to compute one model from several.
///
/// A method is a value without state. The executor reads the values of one tensor out of every
/// input, widened to `Float`, and calls ``merge(_:tensor:settings:into:)`` once for each chunk
/// (``MergeReach/elements``) or once for the whole tensor. Calls may come from any number of
/// threads and in any order: the result depends on nothing but the arguments. Sums over many
/// values are taken in `Double` in a fixed order, random numbers are a function of seed, tensor
/// name and position, and no function of the C library that may round differently on another
/// processor is used. The same inputs so give the same bytes everywhere.
///
/// Before the first call the executor asks ``check(inputs:settings:)``, and for every tensor
/// ``passthrough(_:)``: an input that it names is copied byte by byte, the others are not read.
///
/// Finite inputs give finite values, unless the documentation of a method says otherwise or the
/// result is too large for `Float`.
///
/// Each method is one file in `Methods`, whose documentation begins with the formula and then has
/// the paragraphs "Origin:" and "Parameters:", from which the table in the README is made.
public protocol MergeMethod: Sendable {
  /// The name on the command line and in recipes, for example `weighted-sum`.
  var name: String { get }
  /// What is computed, in one line, for example `(1 − α)A + αB`.
  var formula: String { get }
  /// The models it takes.
  var inputs: MergeInputs { get }
  /// The parameters it takes, with their ranges and defaults.
  var parameters: [MergeParameter] { get }
  /// How much must be seen to compute one value.
  var reach: MergeReach { get }
  /// Whether ``MergeSettings/arithmetic`` makes a difference; otherwise it is always exact.
  var hasDialects: Bool { get }
  /// The memory that one call allocates, in bytes for each value of the tensor.
  func scratchBytesPerElement(inputs count: Int) -> Int

  /// The input that the result is equal to with these settings, whatever the values are.
  func passthrough(_ settings: MergeSettings) -> Int?

  /// Checks what concerns more than one parameter; each by itself is in its range.
  func checkTogether(_ settings: MergeSettings) throws(Fault)

  /// Computes the values of one tensor or chunk.
  ///
  /// - Parameters:
  ///   - operands: the values of each input, as many as `output` has room for.
  ///   - tensor: which tensor this is, and where the chunk lies in it.
  ///   - settings: the parameters for this tensor, checked.
  ///   - output: the result, every value of which is written.
  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>)
}

extension MergeMethod {
  /// There is one arithmetic.
  public var hasDialects: Bool { false }
  /// Nothing is allocated.
  public func scratchBytesPerElement(inputs count: Int) -> Int { 0 }
  /// The parameters are independent.
  public func checkTogether(_ settings: MergeSettings) throws(Fault) {}
  /// The result is never known beforehand.
  public func passthrough(_ settings: MergeSettings) -> Int? { nil }
}

/// A method that looks at all tensors before it computes any.
///
/// The executor calls ``survey(_:tensor:)`` for every tensor that will be merged, joins the
/// answers in the order of the tensors' names, calls ``conclude(_:)`` once, and passes the result
/// on as ``MergeSettings/survey``.
public protocol SurveyingMergeMethod: MergeMethod {
  /// What is to be remembered of one tensor.
  func survey(_ operands: Operands, tensor: MergedTensor) -> [Float]

  /// What follows from all that was remembered.
  func conclude(_ samples: [Float]) -> MergeSurvey
}

extension SurveyingMergeMethod {
  /// All tensors are looked at.
  public var reach: MergeReach { .model }
}

/// What a ``SurveyingMergeMethod`` found in its first pass.
public struct MergeSurvey: Hashable, Sendable {
  /// The least value that counts.
  public var low: Double
  /// The greatest value that counts.
  public var high: Double

  /// A range of values.
  public init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }
}
