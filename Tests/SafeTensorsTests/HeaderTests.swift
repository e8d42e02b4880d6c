import SafeTensors
import Tensors
import TestSupport
import Testing

@Suite("The safetensors header")
struct HeaderTests {
  private static func parse(_ json: String, data: Int) throws(Fault) -> SafeTensorsHeader {
    try SafeTensorsHeader(parsing: Array(json.utf8), dataByteCount: data)
  }

  @Test(
    "refuses what breaks a rule, and names the rule",
    arguments: [
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} x"#, 4, "ST005"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],}}"#, 4, "ST006"),
      ("[]", 0, "ST010"), ("{\"__metadata__\":[]}", 0, "ST011"),
      (#"{"__metadata__":{"a":1}}"#, 0, "ST011"),
      (#"{"__metadata__":{"a":"1","\u0061":"2"}}"#, 0, "ST031"),
      (#"{"__metadata__":null,"__metadata__":null}"#, 0, "ST011"),
      (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "ST012"),
      (#"{"a":["F32",[1],[0,4]]}"#, 4, "ST012"),
      (#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "ST012"),
      (#"{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}"#, 4, "ST013"),
      (#"{"a":{"dtype":{"F32":null},"shape":[1],"data_offsets":[0,4]}}"#, 4, "ST013"),
      (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, 4, "ST014"),
      (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "ST014"),
      (#"{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}"#, 4, "ST014"),
      (#"{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}"#, 4, "ST014"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}"#, 4, "ST015"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "ST020"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "ST020"),
      (
        #"{"a":{"dtype":"F32","shape":[4611686018427387904,8,0],"data_offsets":[0,0]}}"#, 0, "ST021"
      ),
      (#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#, 1, "ST022"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "ST023"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "ST024"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, "ST024"),
      (
        #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0077":"#
          + #"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "ST030"
      ),
    ])
  func refuses(_ json: String, _ data: Int, _ rule: String) {
    let fault = #expect(throws: Fault.self) { try Self.parse(json, data: data) }
    #expect(fault?.rule.id == rule)
  }

  @Test("accepts the oddities that the reference reader accepts")
  func oddities() throws {
    let blank = try Self.parse(
      " \n"
        + #"{"__metadata__":null,"a":{"dtype":"F4","shape":[2],"x":[{}],"data_offsets":[0,1]}}"#,
      data: 1)
    #expect(blank.tensors.map(\.byteCount) == [1])
    #expect(blank.metadata == nil)
    #expect(blank.findings.map(\.rule.id) == ["ST040", "ST041"])
    let pair = try Self.parse(
      "{\"caf\u{E9}\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
        + "\"cafe\u{301}\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", data: 2)
    #expect(pair.tensors.count == 2)
    #expect(pair.tensors[0].name != pair.tensors[1].name)
  }

  @Test("says how many bytes an interrupted download lacks")
  func shortFile() {
    let fault = #expect(throws: Fault.self) {
      try Self.parse(#"{"a":{"dtype":"U8","shape":[5000],"data_offsets":[0,5000]}}"#, data: 904)
    }
    #expect(
      fault?.sentence == "is 4,096 bytes short of what its header promises; "
        + "interrupted download? fetch it again")
  }

  @Test("lists tensors in the order of their data, whatever the order of the entries")
  func order() throws {
    let header = try Self.parse(
      #"{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"#
        + #""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: 2)
    #expect(header.tensors.map(\.name) == ["a", "b"])
    #expect(header.offsets == [0, 1])
  }

  @Test("a tensor called __metadata__ and a name used twice cannot be written")
  func unwritable() throws {
    let reserved = try TensorInfo(name: "__metadata__", dtype: .u8, shape: [1])
    let plain = try TensorInfo(name: "a", dtype: .u8, shape: [1])
    let first = #expect(throws: Fault.self) {
      try SafeTensorsLayout(tensors: [reserved], metadata: nil)
    }
    #expect(first?.rule == .reservedName)
    let second = #expect(throws: Fault.self) {
      try SafeTensorsLayout(tensors: [plain, plain], metadata: nil)
    }
    #expect(second?.rule == .duplicateTensor)
  }

  @Test("metadata is written in the order of its keys' bytes")
  func metadataOrder() throws {
    let layout = try SafeTensorsLayout(
      tensors: [],
      metadata: [MetadataEntry(key: "b", value: "2"), MetadataEntry(key: "a", value: "\"1\"")])
    let text = String(decoding: layout.header.dropFirst(8), as: UTF8.self)
    #expect(text.hasPrefix(#"{"__metadata__":{"a":"\"1\"","b":"2"}}"#))
    #expect(layout.header.count % 8 == 0)
  }
}
