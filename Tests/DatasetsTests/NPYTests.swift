import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("npy files")
struct NPYTests {
  let folder = try! TemporaryFolder()

  /// The bytes of a file with this header and these values.
  static func npy(
    _ values: [UInt8], header: String? = nil, type: String = "<i4", fortran: String = "False", shape: String = "(2, 3)",
    version: UInt8 = 1
  ) -> [UInt8] {
    let text = header ?? "{'descr': '\(type)', 'fortran_order': \(fortran), 'shape': \(shape), }"
    let padded = Array((text + "   \n").utf8)
    let length = version == 1 ? littleEndian(UInt16(padded.count)) : littleEndian(UInt32(padded.count))
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + padded + values
  }

  static let six = littleEndian(Int32(1), -2, 3, 4, 5, 2_000_000_000)
  static let whole = npy(six)

  func read(_ bytes: [UInt8]) throws -> NPY { try NPY(contentsOf: folder.write(bytes, "array.npy")) }

  @Test("Versions 1 to 3, in row- and column-major order", arguments: [1, 2, 3] as [UInt8])
  func versions(version: UInt8) throws {
    let array = try read(Self.npy(Self.six, version: version))
    #expect(array.indexTensor == IndexTensor([1, -2, 3, 4, 5, 2_000_000_000], shape: [2, 3]))
    #expect(array.tensor.scalars == [1, -2, 3, 4, 5, 2e9] && array.isInteger && array.type == "<i4")
    let columns = try read(Self.npy(Self.six, fortran: "True", version: version))
    #expect(columns.indexTensor == IndexTensor([1, 3, 5, -2, 4, 2_000_000_000], shape: [2, 3]))
    let cube = littleEndian(Int32(0), 1, 2, 3, 4, 5, 6, 7)
    let turned = try read(Self.npy(cube, fortran: "True", shape: "(2, 2, 2)"))
    #expect(turned.indexTensor?.scalars == [0, 4, 2, 6, 1, 5, 3, 7])
  }

  @Test("Every type gives its values")
  func types() throws {
    let floats = littleEndian(Float(1.5).bitPattern, Float(-0.25).bitPattern)
    #expect(try read(Self.npy(floats, type: "<f4", shape: "(2,)")).tensor.scalars == [1.5, -0.25])
    let doubles = littleEndian(Double(1e-3).bitPattern, Double(-7).bitPattern)
    let array = try read(Self.npy(doubles, type: "<f8", shape: "(1, 2)"))
    #expect(array.tensor.scalars == [1e-3, -7] && array.shape == [1, 2] && array.indexTensor == nil)
    let long = try read(Self.npy(littleEndian(Int64(-5), 1 << 40), type: "<i8", shape: "(2,)"))
    #expect(long.tensor.scalars == [-5, Float(1 << 40)] && long.indexTensor == nil)
    #expect(try read(Self.npy([0, 255], type: "|u1", shape: "(2,)")).indexTensor?.scalars == [0, 255])
    #expect(try read(Self.npy([0, 1, 1], type: "|b1", shape: "(3,)")).indexTensor?.scalars == [0, 1, 1])
  }

  @Test("Scalars, empty arrays, Python 2's long integers and other orders of the keys are read")
  func shapes() throws {
    #expect(try read(Self.npy([7], type: "|u1", shape: "()")).tensor.shape == [])
    #expect(try read(Self.npy([], type: "<f4", shape: "(0, 3)")).tensor.shape == [0, 3])
    #expect(try read(Self.npy(Self.six, shape: "(2L, 3L)")).shape == [2, 3])
    let header = "{\"shape\":(6,),\"fortran_order\":False,\"descr\":\"<i4\"}"
    #expect(try read(Self.npy(Self.six, header: header)).shape == [6])
  }

  @Test("What is written is read back, aligned to 64 bytes")
  func roundTrip() throws {
    let path = folder.path + "/out.npy"
    for shape in [[], [0], [5], [2, 3], [2, 1, 2, 2]] {
      let count = shape.reduce(1, *)
      let tensor = Tensor((0..<count).map { Float($0) - 0.5 }, shape: shape)
      try NPY.write(tensor, to: path)
      let array = try NPY(contentsOf: path)
      #expect(array.tensor.scalars == tensor.scalars && array.shape == shape && array.type == "<f4")
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count % 64 == 4 * count % 64)
    }
    try NPY.write(IndexTensor([3, -4], shape: [1, 2]), to: path)
    #expect(try NPY(contentsOf: path).indexTensor == IndexTensor([3, -4], shape: [1, 2]))
    let start = "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 2), }"
    #expect(try Data(contentsOf: URL(fileURLWithPath: path))[10...].starts(with: start.utf8))
    try expectRefusal(of: folder.path + "/no/file.npy", says: "cannot be written") {
      try NPY.write(Tensor([1]), to: folder.path + "/no/file.npy")
    }
  }

  static let damages =
    Damage.ofAny(whole, notA: "is not an .npy file") + [
      Damage("one byte", says: "is not an .npy file", [0x93]),
      Damage("magic alone", says: "is truncated", Array(whole.prefix(6))),
      Damage("cut in the version", says: "is truncated", Array(whole.prefix(7))),
      Damage("cut in the header's length", says: "the length of its header is missing", Array(whole.prefix(9))),
      Damage("cut in the header", says: "its header should have", Array(whole.prefix(30))),
      Damage("no values", says: "needs 24 bytes, and 0 are there", npy([])),
      Damage("last byte missing", says: "needs 24 bytes, and 23 are there", whole.dropLast()),
      Damage("one byte too many", says: "needs 24 bytes, and 25 are there", whole + [0]),
      Damage("version 4", says: "the unknown version 4.0", npy(six, version: 4)),
      Damage("version 0", says: "the unknown version 0.0", npy(six, version: 0)),
      Damage("an archive", says: "is an .npz archive", [0x50, 0x4b, 3, 4, 0, 0, 0, 0]),
      Damage(
        "a header of 4 GiB", says: "its header claims 4294967295 bytes",
        [0x93] + Array("NUMPY".utf8) + [2, 0] + littleEndian(UInt32.max) + six),
      Damage("big-endian values", says: "of the type >f4", npy(six, type: ">f4")),
      Damage("16-bit floats", says: "of the type <f2", npy(six, type: "<f2")),
      Damage("Python objects", says: "of the type |O", npy(six, type: "|O")),
      Damage("complex numbers", says: "of the type <c8", npy(six, type: "<c8")),
      Damage("a structured type", says: "is not the dictionary", npy(six, header: "{'descr': [('a', '<f4')], }")),
      Damage("a shape of a negative extent", says: "is not the dictionary", npy(six, shape: "(-2, 3)")),
      Damage("a shape beyond Int", says: "is not the dictionary", npy(six, shape: "(99999999999999999999, 3)")),
      Damage("a product beyond Int", says: "impossibly large", npy(six, shape: "(4611686018427387904, 4)")),
      Damage("terabytes", says: "impossibly large", npy(six, shape: "(1000000, 1000000)")),
      Damage("a gigabyte promised", says: "and 24 are there", npy(six, shape: "(536870912,)")),
      Damage("zero times too much", says: "impossibly large", npy([], shape: "(4611686018427387904, 4, 0)")),
      Damage(
        "nothing of too much", says: "impossibly large",
        npy([], shape: "(0, 4611686018427387904, 4611686018427387904)")),
      Damage(
        "33 axes", says: "more than 32", npy([1], type: "|u1", shape: "(" + String(repeating: "1,", count: 33) + ")")),
      Damage("no tuple", says: "is not the dictionary", npy(six, shape: "6")),
      Damage("no comma in a tuple of one", says: "is not the dictionary", npy(six, shape: "(6)")),
      Damage("order neither True nor False", says: "is not the dictionary", npy(six, fortran: "Maybe")),
      Damage("a key missing", says: "is not the dictionary", npy(six, header: "{'descr': '<i4', 'shape': (6,), }")),
      Damage(
        "a key twice", says: "is not the dictionary",
        npy(six, header: "{'descr': '<i4', 'descr': '<i4', 'fortran_order': False, 'shape': (6,), }")),
      Damage("an unknown key", says: "is not the dictionary", npy(six, header: "{'size': 6}")),
      Damage("no end of the dictionary", says: "is not the dictionary", npy(six, header: "{'descr': '<i4',")),
      Damage("no end of a string", says: "is not the dictionary", npy(six, header: "{'descr")),
      Damage("something after the dictionary", says: "is not the dictionary", npy(six, header: "{} {}")),
      Damage("an empty header", says: "is not the dictionary", npy(six, header: "")),
      Damage("bytes in the header", says: "is not the dictionary", npy(six, header: "\u{1}\u{2}{'descr': '<i4'}")),
    ]

  @Test("Damage gets one line that names the file, the damage and the remedy", arguments: damages)
  func damage(_ damage: Damage) throws {
    let path = try folder.write(damage.bytes, "array.npy")
    try expectRefusal(of: path, says: damage.says) { _ = try NPY(contentsOf: path) }
  }
}
