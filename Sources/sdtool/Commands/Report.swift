import ArgumentParser

extension SDTool {
  struct Report: ParsableCommand {
    func run() throws {}
  }
}
