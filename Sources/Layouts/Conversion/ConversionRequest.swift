public import SafeTensors
public import StableDiffusion
public import Tensors

/// What a conversion should make of a model.
public struct ConversionRequest: Sendable {
  /// The layout of the output.
  public var layout: OutputLayout
  /// The component to write by itself; `nil` for all there is.
  public var only: Component?
  /// The types of the values.
  public var types = TypeChoice()
  /// What is done about values that are too large for their new type.
  public var overflow = OverflowPolicy.error
  /// Whether moving averages, training state and buffers are left out.
  public var prunes = false
  /// Whether the moving average takes the place of the U-Net.
  public var usesAverages = false
  /// Whether the token positions are set to 0…76, or added.
  public var fixesPositionIDs = false
  /// In which order the tensors of a single safetensors file lie.
  public var order = SafeTensorsLayout.Order.canonical
  /// Whether texts beside the tensors are kept.
  public var keepsMetadata = true

  /// A conversion to `layout` that changes nothing else.
  public init(layout: OutputLayout) { self.layout = layout }
}

/// In which types the values of a model are stored.
///
///     var types = TypeChoice(.f16)
///     types[.vae] = .some(.f32)
public struct TypeChoice: Hashable, Sendable {
  /// The type of everything without a choice of its own; `nil` keeps each tensor's own.
  public var usual: DType?
  private var own: [Component: DType?] = [:]

  /// The same type for everything; `nil` keeps each tensor's own.
  public init(_ usual: DType? = nil) { self.usual = usual }

  /// The type of a component; `nil` keeps each tensor's own.
  public subscript(component: Component) -> DType? {
    get { own[component] ?? usual }
    set { own.updateValue(newValue, forKey: component) }
  }

  /// Whether components differ, so that it must be known what each tensor is for.
  public var dependsOnComponent: Bool { !own.isEmpty }
}
