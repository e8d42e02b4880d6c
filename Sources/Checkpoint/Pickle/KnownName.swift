/// What a function or class that checkpoints really name means here.
///
/// Nothing is ever called, so this table does not keep anyone safe; it decides which files are
/// called unsafe. Sources: PyTorch `torch/_weights_only_unpickler.py`, `torch/_utils.py`, and the
/// files that were published.
enum KnownName: Hashable {
  /// `torch._utils._rebuild_tensor` and its successors.
  case tensor, tensorV2, tensorV3
  /// Wrappers around a tensor that is their first argument.
  case parameter
  /// `torch._tensor._rebuild_from_type_v2`.
  case fromType
  /// `torch._utils._rebuild_device_tensor_from_numpy`.
  case fromNumPy
  /// Tensors without plain values.
  case unsupportedTensor
  /// A storage class.
  case storage(ElementType)
  /// A `torch.dtype`.
  case dtype(ElementType)
  /// Dictionaries; the contents are the first, or after a factory the second argument.
  case dictionary, defaultDictionary
  case set
  /// `torch.Size`.
  case size
  /// `torch.nn.ParameterDict`.
  case parameterDict
  /// `_codecs.encode`: bytes that are written as text.
  case encode
  /// `numpy.core.multiarray._reconstruct`.
  case numPyArray
  /// `numpy.dtype`.
  case numPyType
  /// Objects that are built and then ignored.
  case inert

  /// The meaning of `module.name`, or `nil` if it is not known to be harmless.
  init?(module: String, name: String) {
    switch module {
    case "torch", "torch.cuda":
      if let type = ElementType.byStorageClass[name] {
        self = .storage(type)
        return
      }
      if module == "torch", let type = ElementType.byDTypeName[name] {
        self = .dtype(type)
        return
      }
    case "torch.storage":
      if name == "UntypedStorage" || name == "_UntypedStorage" {
        self = .storage(.untyped)
        return
      }
    case "numpy.dtypes", "pytorch_lightning.utilities.enums", "lightning.pytorch.utilities.enums",
      "lightning_fabric.utilities.enums":
      // Only classes of constants live there.
      guard name.utf8.first.map({ (0x41...0x5A).contains($0) }) ?? false, !name.utf8.contains(0x2E)
      else { return nil }
      self = .inert
      return
    default: break
    }
    guard let known = Self.table["\(module) \(name)"] else { return nil }
    self = known
  }

  private static let table: [String: KnownName] = {
    var table: [String: KnownName] = [:]
    func add(_ modules: String, _ names: String, _ known: KnownName) {
      for module in modules.split(separator: " ") {
        for name in names.split(separator: " ") { table["\(module) \(name)"] = known }
      }
    }
    add("torch._utils", "_rebuild_tensor", .tensor)
    add("torch._utils", "_rebuild_tensor_v2", .tensorV2)
    add("torch._utils", "_rebuild_tensor_v3", .tensorV3)
    add("torch._utils", "_rebuild_parameter _rebuild_parameter_with_state", .parameter)
    add("torch.nn.parameter torch.nn", "Parameter Buffer", .parameter)
    add("torch._tensor torch.tensor", "_rebuild_from_type_v2 _rebuild_from_type", .fromType)
    add("torch._utils", "_rebuild_device_tensor_from_numpy", .fromNumPy)
    add(
      "torch._utils",
      "_rebuild_qtensor _rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_nested_tensor "
        + "_rebuild_meta_tensor_no_storage _rebuild_wrapper_subclass "
        + "_rebuild_device_tensor_from_cpu_tensor _rebuild_xla_tensor",
      .unsupportedTensor)
    add("collections", "OrderedDict Counter", .dictionary)
    add("collections", "defaultdict", .defaultDictionary)
    add(
      "pytorch_lightning.utilities.parsing lightning.pytorch.utilities.parsing "
        + "lightning_fabric.utilities.data",
      "AttributeDict", .dictionary)
    add("builtins __builtin__", "dict", .dictionary)
    add("builtins __builtin__", "set frozenset", .set)
    add(
      "builtins __builtin__", "bytearray bytes complex int float str list tuple bool object", .inert
    )
    add("__builtin__", "unicode long", .inert)
    add("torch", "Size", .size)
    add("torch", "Tensor device strided sparse_coo per_tensor_affine Generator", .inert)
    add("torch.serialization", "_get_layout", .inert)
    add("torch._tensor torch._C", "Tensor _TensorBase", .inert)
    add("torch.nn.modules.container", "ParameterDict", .parameterDict)
    add("torch.nn.modules.container", "ParameterList", .inert)
    add("_codecs", "encode", .encode)
    add(
      "numpy.core.multiarray numpy._core.multiarray", "scalar", .inert)
    add("numpy.core.multiarray numpy._core.multiarray", "_reconstruct", .numPyArray)
    add("numpy.core.numeric numpy._core.numeric", "_frombuffer", .inert)
    add("numpy", "dtype", .numPyType)
    add(
      "numpy",
      "ndarray float64 float32 float16 int64 int32 int16 int8 uint8 uint16 uint32 uint64 bool_ bool",
      .inert)
    add(
      "pytorch_lightning.callbacks.model_checkpoint lightning.pytorch.callbacks.model_checkpoint "
        + "pytorch_lightning.callbacks.pt_callbacks",
      "ModelCheckpoint", .inert)
    add(
      "pytorch_lightning.callbacks.early_stopping lightning.pytorch.callbacks.early_stopping",
      "EarlyStopping", .inert)
    add(
      "pytorch_lightning.callbacks.lr_monitor lightning.pytorch.callbacks.lr_monitor",
      "LearningRateMonitor", .inert)
    add("omegaconf.dictconfig", "DictConfig", .inert)
    add("omegaconf.listconfig", "ListConfig", .inert)
    add("omegaconf.base", "ContainerMetadata Metadata", .inert)
    add(
      "omegaconf.nodes", "AnyNode IntegerNode FloatNode StringNode BooleanNode EnumNode BytesNode",
      .inert)
    add("typing", "Any Union Optional List Dict Tuple", .inert)
    add("argparse", "Namespace", .inert)
    add("pathlib", "PosixPath PurePosixPath WindowsPath PureWindowsPath Path", .inert)
    add("datetime", "datetime date time timedelta timezone", .inert)
    return table
  }()
}
