import CForward
import COneDNN
import StableDiffusion
import Tensors

// A matrix is brought into another order in its own place, with a copy beside it for a moment.
extension Weight {
  /// The values in panels, for our own loops.
  func panels(_ pass: Pass) throws(Fault) -> UnsafeRawPointer? {
    if arrangement != .panels {
      try becomePlain(pass)
      let (outputs, inputs, taps) = parameter.factors
      let copy = try copied(parameter.elementCount, pass)
      unsafe cf_pack(pass.runtime.pool, copy.base, outputs, inputs, taps, type, base)
      note(.panels)
    }
    return unsafe UnsafeRawPointer(base)
  }

  /// The values as a plan of oneDNN wants them, in the type of the pass.
  ///
  /// Where they had to be widened they lie in memory that our loops use too.
  func packed(for plan: OpaquePointer, _ pass: Pass) throws(Fault) -> UnsafeRawPointer? {
    let library = unsafe pass.runtime.library
    let layout = unsafe od_layout(plan)
    let count = unsafe od_layout_size(library, layout) / pass.valueSize
    if arrangement != .library(layout) {
      try becomePlain(pass)
      try unsafe rearrange(parameter.elementCount, as: count, pass) {
        unsafe od_pack(library, plan, $0, $1)
      }
      note(.library(layout))
    }
    guard type != pass.type else { return unsafe UnsafeRawPointer(base) }
    let pool = unsafe pass.runtime.pool
    guard let wide = unsafe cf_scratch(pool, count * pass.valueSize) else { throw .noMemory() }
    try pass.runtime.check(unsafe cf_convert(pool, base, type, wide, pass.type, count))
    return UnsafeRawPointer(wide)
  }

  /// Undoes what was arranged for other sizes of pictures.
  private func becomePlain(_ pass: Pass) throws(Fault) {
    switch arrangement {
    case .plain: return
    case .panels:
      let (outputs, inputs, taps) = parameter.factors
      let copy = try copied(cf_packed_size(outputs, inputs, taps, type) / storedSize, pass)
      unsafe cf_unpack(pass.runtime.pool, copy.base, outputs, inputs, taps, type, base)
    case .library(let layout):
      let library = unsafe pass.runtime.library
      let count = unsafe od_layout_size(library, layout) / pass.valueSize
      try unsafe rearrange(count, as: parameter.elementCount, pass) {
        unsafe od_unpack(library, layout, $0, $1)
      }
    }
    note(.plain)
  }

  /// Replaces the first `count` values by as many as `body` makes of them, in the type of the pass.
  private func rearrange(
    _ count: Int, as newCount: Int, _ pass: Pass,
    _ body: (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> od_status
  ) throws(Fault) {
    let copy = try copied(count, pass)
    try reserve(newCount * storedSize)
    guard type != pass.type else {
      return try pass.runtime.check(unsafe body(copy.base, base).rawValue)
    }
    let pool = unsafe pass.runtime.pool, arena = pass.runtime.arena
    let wide = try arena.memory(count * pass.valueSize, isPlanned: false)
    let made = try arena.memory(newCount * pass.valueSize, isPlanned: false)
    try pass.runtime.check(unsafe cf_convert(pool, copy.base, type, wide.base, pass.type, count))
    try pass.runtime.check(unsafe body(wide.base, made.base).rawValue)
    try pass.runtime.check(unsafe cf_convert(pool, made.base, pass.type, base, type, newCount))
  }

  /// The bytes of a stored value.
  private var storedSize: Int { type == CF_F32 ? 4 : 2 }

  /// The first `count` values, elsewhere.
  private func copied(_ count: Int, _ pass: Pass) throws(Fault) -> Memory {
    let byteCount = count * storedSize
    let copy = try pass.runtime.arena.memory(byteCount, isPlanned: false)
    if let from = unsafe base { unsafe copy.base?.copyMemory(from: from, byteCount: byteCount) }
    return copy
  }
}
