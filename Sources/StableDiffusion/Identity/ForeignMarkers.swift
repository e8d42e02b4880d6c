import Tensors

/// Looks for tensors that only other kinds of model have.
///
/// Fed with the tensors that have no place in a Stable Diffusion 1.x model.
struct ForeignMarkers {
  /// A name that gives a kind away.
  private struct Marker: Sendable {
    enum Form: Sendable { case name, prefix }
    let kind: ModelKind
    let form: Form
    let text: String
    /// What the tensor is, as the object of "has".
    let meaning: String

    init(_ kind: ModelKind, _ form: Form, _ text: String, _ meaning: String) {
      self.kind = kind
      self.form = form
      self.text = text
      self.meaning = meaning
    }
  }

  /// In order of weight: an earlier one decides where several are found.
  private static let markers: [Marker] = {
    var all: [Marker] = []
    func add(_ kind: ModelKind, _ form: Marker.Form, _ meaning: String, _ texts: String...) {
      all += texts.map { Marker(kind, form, $0, meaning) }
    }
    add(
      .flux, .name, "a double-stream transformer block",
      "double_blocks.0.img_attn.norm.key_norm.scale",
      "model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale",
      "double_blocks.0.img_attn.qkv.weight",
      "model.diffusion_model.double_blocks.0.img_attn.qkv.weight")
    add(
      .flux, .prefix, "a single-stream transformer block", "single_transformer_blocks.",
      "transformer/single_transformer_blocks.")
    add(
      .stableDiffusion3, .prefix, "a joint transformer block", "joint_blocks.",
      "model.diffusion_model.joint_blocks.", "transformer/transformer_blocks.")
    add(
      .stableDiffusion3, .name, "a joint transformer block",
      "transformer_blocks.0.attn.add_q_proj.weight")
    add(.sdxlBase, .prefix, "a second text encoder", "conditioner.embedders.1.", "text_encoder_2/")
    add(
      .sdxlRefiner, .prefix, "OpenCLIP bigG as its only text encoder",
      "conditioner.embedders.0.model.")
    add(
      .sdxlBase, .prefix, "an embedding of image sizes", "model.diffusion_model.label_emb.",
      "label_emb.", "add_embedding.", "unet/add_embedding.")
    add(.stableDiffusion2, .prefix, "an OpenCLIP text encoder", "cond_stage_model.model.")
    add(.controlNet, .prefix, "a control network", "control_model.")
    add(
      .controlNet, .prefix, "an encoder of the control image", "controlnet_cond_embedding.",
      "input_hint_block.", "lllite_unet_")
    add(
      .controlNet, .prefix, "connections to a U-Net", "controlnet_down_blocks.",
      "controlnet_mid_block.", "zero_convs.")
    add(.controlNet, .name, "the mark of a Control-LoRA", "lora_controlnet")
    add(
      .motionModule, .prefix, "attention over time", "down_blocks.0.motion_modules.",
      "mid_block.motion_modules.", "up_blocks.0.motion_modules.", "up_blocks.1.motion_modules.",
      "module.down_blocks.0.motion_modules.", "module.up_blocks.1.motion_modules.")
    add(
      .ipAdapter, .prefix, "a projection of image embeddings", "ip_adapter.", "image_proj.")
    add(
      .t2iAdapter, .name, "an encoder of the control image", "body.0.block1.weight",
      "adapter.body.0.resnets.0.block1.weight", "adapter.body.0.block1.weight")
    add(
      .upscaler, .name, "a residual network without text", "conv_first.weight",
      "params_ema.conv_first.weight", "params.conv_first.weight")
    add(.upscaler, .prefix, "residual-in-residual blocks", "model.1.sub.", "RRDB_trunk.")
    add(.textualInversion, .prefix, "an embedding", "string_to_param.", "string_to_token.")
    add(.textualInversion, .name, "an embedding", "emb_params", "string_to_param")
    return all
  }()

  private static let names = Dictionary(
    markers.enumerated().filter { $0.element.form == .name }.map {
      (TensorName($0.element.text), $0.offset)
    }, uniquingKeysWith: min)
  private static let prefixes = markers.enumerated().filter { $0.element.form == .prefix }

  private var found: [Int: Int] = [:]
  private var hypernetwork: Int?
  /// A layer that only a longer text encoder has.
  private var longTextEncoder: Int?

  /// Looks at the tensor at `index` of the file.
  mutating func look(at info: TensorInfo, _ index: Int) {
    let name = info.name
    guard name.utf8.count <= NameTable.longestName, let first = name.utf8.first else { return }
    if let marker = Self.names[name] {
      if found[marker] == nil { found[marker] = index }
      return
    }
    for (offset, marker) in Self.prefixes
    where marker.text.utf8.first == first && found[offset] == nil && name.hasPrefix(marker.text) {
      found[offset] = index
    }
    if hypernetwork == nil,
      ["320.", "640.", "768.", "1024.", "1280."].contains(where: name.hasPrefix),
      name.string.contains("linear")
    {
      hypernetwork = index
    }
    if longTextEncoder == nil, name.hasSuffix("encoder.layers.12.mlp.fc1.weight"),
      info.shape.count == 2
    {
      longTextEncoder = index
    }
  }

  /// What the markers say: a kind, what its model "has", and the tensor that shows it.
  ///
  /// Kinds that work beside a model are considered only if `part` is true.
  func verdict(part: Bool, tensors: [TensorInfo]) -> (ModelKind, String, Int)? {
    for (offset, marker) in Self.markers.enumerated() where part || !marker.kind.isPart {
      if let index = found[offset] { return (marker.kind, marker.meaning, index) }
    }
    if part, let hypernetwork {
      return (.hypernetwork, "layers by context width", hypernetwork)
    }
    if let longTextEncoder {
      switch tensors[longTextEncoder].shape[1] {
      case 1024:
        return (.stableDiffusion2, "a text encoder of more than 12 layers", longTextEncoder)
      case 1280: return (.sdxlBase, "the second text encoder of SDXL", longTextEncoder)
      default: return nil
      }
    }
    return nil
  }
}

extension ModelKind {
  /// Whether it works beside a whole model, so that a whole model may contain one.
  fileprivate var isPart: Bool {
    switch self {
    case .stableDiffusion1, .stableDiffusion2, .sdxlBase, .sdxlRefiner, .stableDiffusion3, .flux:
      false
    case .adapter, .controlNet, .t2iAdapter, .ipAdapter, .motionModule, .textualInversion,
      .hypernetwork, .upscaler, .unknown:
      true
    }
  }
}
