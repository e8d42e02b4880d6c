import Glibc

/// The bytes of memory that a program may still take without swapping, if the system tells.
func availableMemory() -> Int? {
  guard let file = unsafe fopen("/proc/meminfo", "r") else { return nil }
  defer { unsafe fclose(file) }
  var buffer = [CChar](repeating: 0, count: 4096)
  let count = unsafe fread(&buffer, 1, buffer.count, file)
  let text = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
    let digits = line.drop { !$0.isNumber }.prefix { $0.isNumber }
    return Int(digits).map { $0 * 1024 }
  }
  return nil
}
