import CLibFuzzer
import Glibc

// fuzz TARGET [libFuzzer's arguments]: gives one reader whatever libFuzzer thinks of. A trap ends
// the process, and libFuzzer keeps the input.

guard CommandLine.argc > 1, let target = Target(rawValue: CommandLine.arguments[1]) else {
  let names = Target.allCases.map(\.rawValue).joined(separator: "|")
  print("usage: fuzz \(names) [-max_total_time=SECONDS] [CORPUS…]")
  exit(64)
}
unsafe chosenTarget = target

// libFuzzer must not see the target's name: it would take it for a folder of inputs.
var count = CommandLine.argc - 1
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? =
  unsafe CommandLine.unsafeArgv + 1
let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
  unsafe chosenTarget.run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
exit(status)
