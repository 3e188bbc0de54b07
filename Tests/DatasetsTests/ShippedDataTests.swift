import Foundation
import Testing

@testable import Datasets

@Suite("Shipped data")
struct ShippedDataTests {
  let folder = try! TemporaryFolder()

  static func distinctImages(_ set: LabelledImages) -> Set<ArraySlice<UInt8>> {
    Set(set.indices.map { set.bytes(at: $0) })
  }

  static func counts(_ set: LabelledImages) -> [Int] {
    set.labels.scalars.reduce(into: [Int](repeating: 0, count: 10)) { $0[Int($1)] += 1 }
  }

  @Test("The digits are 1,500 and 297 images of 8x8 and 17 levels, with none in both parts")
  func digits() throws {
    let digits = try Digits()
    #expect(digits.train.count == 1_500 && digits.test.count == 297)
    for part in [digits.train, digits.test] {
      #expect(part.height == 8 && part.width == 8 && part.levels == 17)
      #expect(part.levels(at: part.indices).scalars.max() == 16)
    }
    #expect(Self.distinctImages(digits.train).isDisjoint(with: Self.distinctImages(digits.test)))
    // scikit-learn's load_digits().target counts and sum of all pixels.
    let counts = zip(Self.counts(digits.train), Self.counts(digits.test)).map { $0 + $1 }
    #expect(counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    let sums = [digits.train, digits.test].map { $0.levels(at: $0.indices).scalars.reduce(0) { $0 + Int($1) } }
    #expect(sums.reduce(0, +) == 561_718)
    #expect(Self.counts(digits.test).min()! >= 15)
  }

  @Test("The digits are split alike every time")
  func sameSplit() throws {
    let (first, second) = (try Digits(), try Digits())
    #expect(first.test.labels == second.test.labels)
    #expect(first.train.levels(at: [0, 1_499]) == second.train.levels(at: [0, 1_499]))
    #expect(Array(first.test.labels.scalars.prefix(8)) == [7, 1, 6, 1, 3, 3, 4, 8])
  }

  @Test("An image that occurs twice is never in the test part")
  func repeatedImages() throws {
    let values: [UInt8] = (0..<20).map { $0 / 2 } + Array(20..<40)  // ten pairs, twenty single images
    let all = try LabelledImages(
      imagesFile: folder.writeIDX([40, 1, 1], values, "i"),
      labelsFile: folder.writeIDX([40], values.map { $0 % 10 }, "l"), height: 1, width: 1)
    let (train, test) = Digits.split(all, testCount: 15)
    #expect(train.count == 25 && test.count == 15)
    #expect(Self.distinctImages(train).isDisjoint(with: Self.distinctImages(test)))
    let found = [train, test].flatMap { $0.levels(at: $0.indices).scalars }
    #expect(found.sorted() == values.map(Int32.init))
  }

  @Test("The garments are 10,000 and 2,000 balanced images of 28x28, all different, with none in both parts")
  func fashion() throws {
    let fashion = try FashionMNIST()
    #expect(Self.counts(fashion.train) == [Int](repeating: 1_000, count: 10))
    #expect(Self.counts(fashion.test) == [Int](repeating: 200, count: 10))
    let (train, test) = (Self.distinctImages(fashion.train), Self.distinctImages(fashion.test))
    #expect(train.count == 10_000 && test.count == 2_000)
    #expect(train.isDisjoint(with: test))
    #expect(fashion.train.height == 28 && fashion.train.width == 28 && fashion.train.levels == 256)
    #expect(FashionMNIST.classNames.count == 10)
  }

  @Test("The shipped files take at most 12 MB, and every set has its licence beside it")
  func size() throws {
    let data = try URL(fileURLWithPath: ShippedData.folder("digits")).deletingLastPathComponent()
    let files = try FileManager.default.subpathsOfDirectory(atPath: data.path)
    let sizes = try files.map { try FileManager.default.attributesOfItem(atPath: data.path + "/" + $0)[.size] as? Int }
    #expect(sizes.reduce(0) { $0 + ($1 ?? 0) } < 12_000_000)
    #expect(
      Set(files).isSuperset(of: [
        "digits/LICENSE", "fashion-mnist/LICENSE", "king-james/LICENSE", "README.md", "make.py",
      ]))
  }

  @Test(
    "The data folder is found beside the sources, else in the current directory or above it, else the error says where")
  func location() throws {
    let elsewhere = folder.path + "/clone/Sources/Datasets/ShippedData.swift"
    let deep = folder.path + "/work/a/b"
    try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
    let error = try #require(throws: DataError.self) {
      try ShippedData.folder("digits", sourceFile: elsewhere, currentDirectory: deep)
    }
    #expect(
      error.description.hasPrefix("\(folder.path)/clone/data/digits: the shipped data are not there, nor in \(deep)"))
    #expect(error.remedy.contains("git checkout -- data"))

    let above = folder.path + "/work/data/digits"
    try FileManager.default.createDirectory(atPath: above, withIntermediateDirectories: true)
    #expect(try ShippedData.folder("digits", sourceFile: elsewhere, currentDirectory: deep) == above)

    let beside = folder.path + "/clone/data/digits"
    try FileManager.default.createDirectory(atPath: beside, withIntermediateDirectories: true)
    #expect(try ShippedData.folder("digits", sourceFile: elsewhere, currentDirectory: deep) == beside)
  }

  @Test("Damaged shipped files are to be restored from the repository")
  func damagedDigits() throws {
    _ = try folder.write([1, 2, 3, 4], "images-idx3-ubyte.gz")
    let error = try #require(throws: DataError.self) { try Digits(folder: folder.path) }
    #expect(error.description.hasSuffix("restore the shipped files with `git checkout -- data`"))
  }
}

@Suite("Folders of the four standard files")
struct FashionMNISTFolderTests {
  let folder = try! TemporaryFolder()

  /// Three training and two test images of `side` by `side`; those of training all 1, those of test all 2.
  func write(side: Int = 28, gzipped: Bool = false) throws {
    let end = gzipped ? ".gz" : ""
    for (part, count, value) in [("train", 3, UInt8(1)), ("t10k", 2, 2)] {
      let pixels = [UInt8](repeating: value, count: count * side * side)
      _ = try folder.writeIDX([count, side, side], pixels, "\(part)-images-idx3-ubyte\(end)", gzipped: gzipped)
      _ = try folder.writeIDX(
        [count], (0..<UInt8(count)).map { $0 }, "\(part)-labels-idx1-ubyte\(end)", gzipped: gzipped)
    }
  }

  func problem(_ path: String? = nil) throws -> String {
    try #require(throws: DataError.self) { try FashionMNIST(folder: path ?? folder.path) }.description
  }

  @Test("Plain and gzipped files are read, with a slash at the end or without", arguments: [false, true])
  func reads(gzipped: Bool) throws {
    try write(gzipped: gzipped)
    for path in [folder.path, folder.path + "/"] {
      let set = try FashionMNIST(folder: path)
      #expect(set.train.count == 3 && set.test.count == 2)
      #expect(set.train.levels(at: [0]).scalars.allSatisfy { $0 == 1 })
      #expect(set.test.levels(at: [1]).scalars.allSatisfy { $0 == 2 })
      #expect(set.train.labels.scalars == [0, 1, 2])
    }
  }

  @Test("Images of another size are refused")
  func otherSize() throws {
    try write(side: 32)
    #expect(
      try problem() == "\(folder.path)/train-images-idx3-ubyte: its images have 32x32 pixels, not 28x28; "
        + "give files of 28x28 images")
  }

  @Test("Missing files are named")
  func missing() throws {
    try write(gzipped: true)
    try FileManager.default.removeItem(atPath: folder.path + "/t10k-labels-idx1-ubyte.gz")
    #expect(
      try problem().hasPrefix("\(folder.path): t10k-labels-idx1-ubyte not found there, neither gzipped nor plain; put"))
  }

  @Test("Images and labels of different parts are refused")
  func mixed() throws {
    try write()
    _ = try folder.writeIDX([2], [0, 1], "train-labels-idx1-ubyte")
    #expect(try problem().contains("train-labels-idx1-ubyte: it has 2 labels, and "))
  }

  @Test("A label file in place of an image file is refused")
  func swapped() throws {
    try write()
    _ = try folder.writeIDX([2], [0, 1], "t10k-images-idx3-ubyte")
    #expect(try problem().contains("t10k-images-idx3-ubyte: its rank is 1, not 3"))
  }

  @Test("A folder that is missing, or is a file, is named")
  func noFolder() throws {
    let file = try folder.write([1], "file")
    #expect(try problem(file).hasPrefix("\(file): this is a file, not a folder; give the folder"))
    #expect(try problem(file + "x").hasPrefix("\(file)x: there is no such folder; give the folder"))
    #expect(try problem("").hasPrefix("\"\": there is no such folder"))
  }
}
