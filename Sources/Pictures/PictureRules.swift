import CPictures
public import Tensors

extension Rule {
  /// A file that is not a picture, or a broken one.
  public static let notAPicture = Rule(
    "IM001", .fatal, "not a readable picture",
    "Pictures are read from PNG and JPEG files. A file that is something else, was cut short on its "
      + "way, or is damaged is refused rather than used in part.")
  /// A picture that takes too much memory.
  public static let pictureTooLarge = Rule(
    "IM002", .fatal, "picture too large",
    "At most 64 million pixels are read or written. A picture far larger than what the model makes "
      + "is best made smaller with another program first.")
  /// The library for a kind of picture is not there.
  public static let pictureLibrary = Rule(
    "IM003", .fatal, "no library for pictures",
    "PNG files are read and written by libpng, JPEG files read by libjpeg-turbo, which are looked "
      + "for when they are needed. Debian and Ubuntu: libpng16-16 and libturbojpeg0; Fedora: libpng "
      + "and turbojpeg; Arch and Alpine: libpng and libjpeg-turbo.")

  /// All rules about pictures.
  public static let pictureRules: [Rule] = [.notAPicture, .pictureTooLarge, .pictureLibrary]
}

extension Fault {
  /// Throws what the code and the message of a C function say.
  static func check(_ code: CInt, _ message: [CChar], isPNG: Bool) throws(Fault) {
    guard code != CInt(CP_DONE) else { return }
    let bytes = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let reason = String(decoding: bytes, as: UTF8.self)
    guard code == CInt(CP_NO_LIBRARY) else {
      throw Fault(
        .notAPicture, "is a broken \(isPNG ? "PNG" : "JPEG") file (\(reason))",
        hint: "it may have been cut short on its way; fetch it again")
    }
    throw Fault(
      .pictureLibrary, "\(isPNG ? "PNG needs libpng" : "JPEG needs libjpeg-turbo") (\(reason))",
      hint: isPNG
        ? "install libpng16-16 (apt-get install libpng16-16)"
        : "install libturbojpeg0 (apt-get install libturbojpeg0), or convert the file to PNG")
  }
}
