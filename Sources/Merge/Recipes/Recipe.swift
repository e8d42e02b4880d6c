public import StableDiffusion
public import Tensors

/// How a model is made from others: a list of steps, each of which merges models or results of
/// earlier steps.
///
///     let recipe = try Recipe(yaml: text)
///     recipe.steps.last?.method      // "weighted-sum"
///     try recipe.yaml()              // the same recipe, in one canonical spelling
///
/// A value of this type that was read, or passed ``checked()``, is consistent: names are unique,
/// inputs are defined before they are used, methods exist and take what they are given.
public struct Recipe: Hashable, Sendable {
  /// A file that takes part.
  public struct Model: Hashable, Sendable {
    /// What steps call it.
    public var name: String
    /// Where it is, if that is known.
    public var path: String?
    /// The SHA-256 of the whole file, 64 lower-case hexadecimal digits, once it is pinned.
    public var sha256: String?

    /// A model; a path or a hash must be given.
    public init(_ name: String, path: String? = nil, sha256: String? = nil) {
      self.name = name
      self.path = path
      self.sha256 = sha256
    }
  }

  /// One merge.
  public struct Step: Hashable, Sendable {
    /// What later steps call its result.
    public var name: String
    /// The method, see ``MergeMethods``.
    public var method: String
    /// The models and earlier results that it takes, in the order of the formula's letters.
    public var inputs: [String]
    /// α, which may differ from place to place; the method's default if absent.
    public var alpha: WeightSpecification?
    /// β, likewise.
    public var beta: WeightSpecification?
    /// γ; the method's default if absent.
    public var gamma: Double?
    /// The proportion that is kept; the method's default if absent.
    public var density: Double?
    /// Half the width of the range of probabilities; the method's default if absent.
    public var epsilon: Double?
    /// A weight for each input, without the base; empty if all are 1.
    public var weights: [Double] = []
    /// The LoRAs that are merged into the one input, as on the command line; for the method
    /// ``loraMethod`` only.
    public var loras: [String] = []
    /// How the LoRAs are merged, beside their strengths.
    public var loraPolicies = LoRAPolicies()
    /// The convention by which lists of weights are spread over the places.
    public var dialect = Dialect.mbw
    /// How results are rounded.
    public var arithmetic = Arithmetic.exact
    /// The number that random choices follow from.
    public var seed: UInt64 = 0
    /// How the result would be stored if it were a file; `nil` for a step whose result is not
    /// rounded.
    ///
    /// A merge of merges gives the same bytes with and without files between only if the steps
    /// round as those files did. The last step has none: the recipe's output counts.
    public var output: Output?
    /// What is done where this step's models do not fit together; the recipe's if `nil`.
    public var policies: MergePolicies?

    /// What a step that merges LoRAs has in the place of a method.
    public static let loraMethod = "lora"

    /// A step that merges LoRAs into a model.
    public init(_ name: String, loras: [String], into model: String) {
      self.init(name, method: Self.loraMethod, inputs: [model])
      self.loras = loras
    }

    /// A step with the method's default parameters.
    public init(_ name: String, method: String, inputs: [String]) {
      self.name = name
      self.method = method
      self.inputs = inputs
    }
  }

  /// What is written.
  public struct Output: Hashable, Sendable {
    /// The type of floating-point tensors; that of the first model if absent.
    public var dtype: DType?
    /// The types of single components; that of the first model where the value is `nil`.
    public var componentTypes: [Component: DType?] = [:]
    /// The model whose VAE replaces the result's.
    public var vae: String?
    /// A regular expression; tensors whose name it matches anywhere are left out.
    public var discard: String?

    /// The defaults.
    public init() {}

    /// How tensors are stored.
    public var types: TypePolicy {
      get {
        var types = TypePolicy()
        types.all = dtype
        types.components = componentTypes
        return types
      }
      set {
        dtype = newValue.all
        componentTypes = newValue.components
      }
    }
  }

  /// The files that take part.
  public var models: [Model]
  /// The merges, each after those that it needs.
  public var steps: [Step]
  /// The step, or the model, that is written.
  public var result: String
  /// What is done where models do not fit together.
  public var policies = MergePolicies()
  /// What is written.
  public var output = Output()

  /// The version of the format that is written, and the only one that is read.
  public static let version = 1

  /// A recipe; its result is the last step's, or the first model.
  public init(models: [Model], steps: [Step], result: String? = nil) {
    self.models = models
    self.steps = steps
    self.result = result ?? steps.last?.name ?? models.first?.name ?? ""
  }
}

extension Recipe {
  /// The same recipe with the hash of every model.
  ///
  /// - Parameter hash: gives the SHA-256 of a model that has none, as 64 hexadecimal digits.
  /// - Returns: the recipe, in which every model has a hash.
  /// - Throws: what `hash` throws; ``Tensors/Rule/recipeValue`` for a hash of another form.
  public func locked(
    hash: (Model) throws(Fault) -> String
  ) throws(Fault) -> Recipe {
    var copy = self
    for index in copy.models.indices where copy.models[index].sha256 == nil {
      copy.models[index].sha256 = try hash(copy.models[index])
    }
    return try copy.checked()
  }
}
