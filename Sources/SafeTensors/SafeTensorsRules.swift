public import Tensors

extension Rule {
  private static func safeTensors(
    _ number: String, _ title: String, _ explanation: String, _ severity: Severity = .fatal
  ) -> Rule {
    Rule("ST" + number, severity, title, explanation)
  }

  /// Shorter than the eight bytes that give the header's length.
  public static let headerTooSmall = safeTensors(
    "001", "file too small",
    "A safetensors file begins with eight bytes that give the length of its header. This file is "
      + "shorter than that: the download was interrupted at once, or it is another kind of file.")
  /// The header claims more than 100,000,000 bytes.
  public static let headerTooLarge = safeTensors(
    "002", "header too large",
    "The first eight bytes claim a header of more than 100,000,000 bytes, the format's limit. "
      + "Nearly always the file is not safetensors at all but a pickle, an archive or a web page "
      + "with the wrong suffix.")
  /// The header ends beyond the file.
  public static let headerBeyondFile = safeTensors(
    "003", "header longer than the file",
    "The header's length reaches beyond the end of the file. The download was interrupted, or the "
      + "file is not safetensors.")
  /// The header is not UTF-8.
  public static let headerNotUTF8 = safeTensors(
    "004", "header is not UTF-8",
    "The header must be UTF-8 text. The file is damaged or is not safetensors.")
  /// Something other than white space follows the header's JSON value.
  public static let headerTrailingBytes = safeTensors(
    "005", "bytes after the header's JSON",
    "The header must be one JSON value; only white space may surround it.")
  /// The header is not strict JSON.
  public static let headerSyntax = safeTensors(
    "006", "header is not valid JSON",
    "The header must be strict JSON: no byte order mark, comments, single quotes, trailing commas, "
      + "NaN, leading zeros, bare control characters, unknown escapes or halves of surrogate pairs."
  )
  /// The header's JSON is nested too deeply.
  public static let headerTooDeep = safeTensors(
    "007", "header nested too deeply",
    "Arrays and objects in the header may be nested as deep as the reference reader follows, "
      + "127 levels, even in fields that are ignored.")
  /// The header's JSON is not an object.
  public static let headerNotObject = safeTensors(
    "010", "header is not an object",
    "The header must be a JSON object with one entry for each tensor.")
  /// `__metadata__` is not an object of strings.
  public static let metadataNotStrings = safeTensors(
    "011", "metadata is not text",
    "`__metadata__` must be an object whose values are strings, or null, and may occur once.")
  /// An entry lacks a field, or has one twice.
  public static let entryFields = safeTensors(
    "012", "tensor entry incomplete",
    "Each tensor's entry is an object with `dtype`, `shape` and `data_offsets`, each exactly once. "
      + "Other fields are ignored.")
  /// An element type that does not exist.
  public static let unknownDType = safeTensors(
    "013", "unknown element type",
    "`dtype` must be one of the format's 22 names, in capitals. A newer file may use a type that "
      + "this version does not know.")
  /// A shape that is not an array of whole numbers.
  public static let invalidShape = safeTensors(
    "014", "invalid shape",
    "`shape` must be an array of whole numbers from 0 to 2⁶⁴ − 1, written with digits alone.")
  /// Offsets that are not two whole numbers.
  public static let invalidOffsets = safeTensors(
    "015", "invalid data offsets",
    "`data_offsets` must be two whole numbers, written with digits alone: where the tensor's bytes "
      + "begin and end, counted from the end of the header.")
  /// A hole or an overlap in the data.
  public static let offsetGap = safeTensors(
    "020", "data has a hole or an overlap",
    "Sorted by position, each tensor must begin where the previous one ends and the first at 0. "
      + "Holes hide data; overlaps let a small file claim any number of tensors.")
  /// A size that does not fit 64 bits.
  public static let sizeOverflow = safeTensors(
    "021", "tensor size overflows",
    "The product of the shape, or its size in bits, does not fit in 64 bits.")
  /// A size that is not a whole number of bytes.
  public static let fractionalByte = safeTensors(
    "022", "tensor ends inside a byte",
    "Types narrower than a byte must fill whole bytes together.")
  /// Shape and type need another number of bytes than the offsets give.
  public static let sizeMismatch = safeTensors(
    "023", "tensor size does not match its shape",
    "Shape and element type need another number of bytes than the data offsets give.")
  /// The data section ends before or after the file does.
  public static let dataSize = safeTensors(
    "024", "file length does not match the header",
    "The tensors must fill the file exactly. A shorter file is an interrupted download; a longer "
      + "one hides bytes that no tensor owns.")
  /// A tensor name that occurs twice.
  public static let duplicateTensor = safeTensors(
    "030", "tensor named twice",
    "Two entries have the same name, perhaps spelled with escapes. Readers disagree about which "
      + "one counts, so a file could show one model to a scanner and another to a program.")
  /// A metadata key that occurs twice.
  public static let duplicateMetadata = safeTensors(
    "031", "metadata key twice",
    "Two metadata entries have the same key. Readers disagree about which one counts.")
  /// A name the format reserves.
  public static let reservedName = safeTensors(
    "032", "reserved tensor name",
    "`__metadata__` is not a tensor name: a file that used it so could not be read back.")
  /// White space before the header's JSON.
  public static let leadingWhitespace = safeTensors(
    "040", "white space before the header",
    "The format asks for a header that begins with `{`; its reference reader accepts white space "
      + "before it. So does this one, and never writes it.", .note)
  /// Fields that the format does not define.
  public static let unknownField = safeTensors(
    "041", "unknown field in a tensor entry",
    "An entry has fields beside `dtype`, `shape` and `data_offsets`. They are ignored, as the "
      + "reference reader does.", .note)

  /// The rules of the safetensors format, in the order in which they are checked.
  public static let safeTensorsRules: [Rule] = [
    .headerTooSmall, .headerTooLarge, .headerBeyondFile, .headerNotUTF8, .headerTrailingBytes,
    .headerSyntax, .headerTooDeep, .headerNotObject, .metadataNotStrings, .entryFields,
    .unknownDType, .invalidShape, .invalidOffsets, .offsetGap, .sizeOverflow, .fractionalByte,
    .sizeMismatch, .dataSize, .duplicateTensor, .duplicateMetadata, .reservedName,
    .leadingWhitespace, .unknownField,
  ]
}
