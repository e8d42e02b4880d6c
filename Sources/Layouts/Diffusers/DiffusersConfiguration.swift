import JSON
public import StableDiffusion
public import Tensors
import Vocabulary

/// The texts of a diffusers folder: what `StableDiffusionPipeline.from_pretrained` needs beside the
/// weights.
public struct DiffusersConfiguration: Sendable {
  /// The widths of the model.
  public let dimensions: Dimensions
  /// The components that are in the folder.
  public let components: [Component]
  /// Whether the folder is that of its only component, and not of a model.
  public let isAlone: Bool
  /// Whether the U-Net predicts the velocity instead of the noise.
  public let predictsVelocity: Bool

  /// The configuration of a model with these widths and components.
  public init(
    dimensions: Dimensions, components: [Component], isAlone: Bool = false,
    predictsVelocity: Bool = false
  ) {
    self.dimensions = dimensions
    self.components = components.sorted()
    self.isAlone = isAlone
    self.predictsVelocity = predictsVelocity
  }

  /// What the paths of a component's files begin with.
  public func prefix(of component: Component) -> String {
    isAlone ? "" : component.folder + "/"
  }

  /// The name of the weights file of a component.
  public static func fileName(of component: Component) -> String {
    component == .textEncoder ? "model.safetensors" : "diffusion_pytorch_model.safetensors"
  }

  /// Every text file of the folder, by its path in it.
  public func texts() throws(Fault) -> [(path: String, bytes: [UInt8])] {
    var texts: [(path: String, bytes: [UInt8])] = []
    func add(_ path: String, _ value: JSONValue) throws(Fault) {
      texts.append((path, Array((try value.serialized(pretty: true) + "\n").utf8)))
    }
    for component in components {
      try add(prefix(of: component) + "config.json", config(of: component))
    }
    guard components == Component.allCases, !isAlone else { return texts }
    try add("model_index.json", index)
    try add("scheduler/scheduler_config.json", scheduler)
    try add("tokenizer/tokenizer_config.json", tokenizer)
    try add("tokenizer/special_tokens_map.json", Self.specialTokens)
    let vocabulary = CLIPVocabulary()
    texts.append(("tokenizer/vocab.json", vocabulary.vocabularyFile))
    texts.append(("tokenizer/merges.txt", vocabulary.mergesFile))
    return texts
  }

  private func config(of component: Component) -> JSONValue {
    switch component {
    case .unet: unet
    case .vae: vae
    case .textEncoder: textEncoder
    }
  }

  /// The pipeline's class for the number of channels that the U-Net takes.
  private var pipeline: JSONValue {
    switch dimensions[.unetInput] {
    case 9: "StableDiffusionInpaintPipeline"
    case 8: "StableDiffusionInstructPix2PixPipeline"
    default: "StableDiffusionPipeline"
    }
  }

  private var index: JSONValue {
    [
      "_class_name": pipeline,
      "_diffusers_version": "0.6.0",
      "feature_extractor": [nil, nil],
      "requires_safety_checker": false,
      "safety_checker": [nil, nil],
      "scheduler": ["diffusers", "PNDMScheduler"],
      "text_encoder": ["transformers", "CLIPTextModel"],
      "tokenizer": ["transformers", "CLIPTokenizer"],
      "unet": ["diffusers", "UNet2DConditionModel"],
      "vae": ["diffusers", "AutoencoderKL"],
    ]
  }

  private var unet: JSONValue {
    [
      "_class_name": "UNet2DConditionModel",
      "_diffusers_version": "0.6.0",
      "act_fn": "silu",
      "attention_head_dim": .integer(Dimensions.unetHeads),
      "block_out_channels": .array(dimensions.unetWidths.map { .integer($0) }),
      "center_input_sample": false,
      "cross_attention_dim": .integer(dimensions[.unetContext]),
      "down_block_types": [
        "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D",
      ],
      "downsample_padding": 1,
      "flip_sin_to_cos": true,
      "freq_shift": 0,
      "in_channels": .integer(dimensions[.unetInput]),
      "layers_per_block": 2,
      "mid_block_scale_factor": 1,
      "norm_eps": 1e-05,
      "norm_num_groups": .integer(Dimensions.groups),
      "out_channels": .integer(dimensions[.unetOutput]),
      "sample_size": 64,
      "up_block_types": [
        "UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
      ],
    ]
  }

  private var vae: JSONValue {
    [
      "_class_name": "AutoencoderKL",
      "_diffusers_version": "0.6.0",
      "act_fn": "silu",
      "block_out_channels": .array(dimensions.vaeWidths.map { .integer($0) }),
      "down_block_types": .array(.init(repeating: "DownEncoderBlock2D", count: 4)),
      "in_channels": .integer(dimensions[.image]),
      "latent_channels": .integer(dimensions[.latent]),
      "layers_per_block": 2,
      "norm_num_groups": .integer(Dimensions.groups),
      "out_channels": .integer(dimensions[.image]),
      "sample_size": 512,
      "scaling_factor": 0.18215,
      "up_block_types": .array(.init(repeating: "UpDecoderBlock2D", count: 4)),
    ]
  }

  private var textEncoder: JSONValue {
    [
      "architectures": ["CLIPTextModel"],
      "attention_dropout": 0.0,
      "bos_token_id": 0,
      "dropout": 0.0,
      "eos_token_id": 2,
      "hidden_act": "quick_gelu",
      "hidden_size": .integer(dimensions[.text]),
      "initializer_factor": 1.0,
      "initializer_range": 0.02,
      "intermediate_size": .integer(dimensions[.textFeedForward]),
      "layer_norm_eps": 1e-05,
      "max_position_embeddings": .integer(dimensions[.positions]),
      "model_type": "clip_text_model",
      "num_attention_heads": .integer(Dimensions.textHeads),
      "num_hidden_layers": .integer(Dimensions.textLayers),
      "pad_token_id": 1,
      "projection_dim": .integer(dimensions[.text]),
      "vocab_size": .integer(dimensions[.vocabulary]),
    ]
  }

  private var scheduler: JSONValue {
    var scheduler: JSONObject = [
      "_class_name": "PNDMScheduler",
      "_diffusers_version": "0.6.0",
      "beta_end": 0.012,
      "beta_schedule": "scaled_linear",
      "beta_start": 0.00085,
      "clip_sample": false,
      "num_train_timesteps": 1000,
    ]
    if predictsVelocity { scheduler["prediction_type"] = "v_prediction" }
    scheduler["set_alpha_to_one"] = false
    scheduler["skip_prk_steps"] = true
    scheduler["steps_offset"] = 1
    scheduler["trained_betas"] = .null
    return .object(scheduler)
  }

  private var tokenizer: JSONValue {
    [
      "add_prefix_space": false,
      "do_lower_case": true,
      "errors": "replace",
      "model_max_length": .integer(dimensions[.positions]),
      "pad_token": "<|endoftext|>",
      "tokenizer_class": "CLIPTokenizer",
      "unk_token": "<|endoftext|>",
    ]
  }

  private static var specialTokens: JSONValue {
    [
      "bos_token": "<|startoftext|>",
      "eos_token": "<|endoftext|>",
      "pad_token": "<|endoftext|>",
      "unk_token": "<|endoftext|>",
    ]
  }
}
