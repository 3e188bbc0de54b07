import Foundation

/// Garments of 28x28 pixels and 256 levels in ten classes (Xiao, Rasul & Vollgraf, 2017, arXiv 1708.07747).
public struct FashionMNIST: Sendable {
  /// The training images, `[28, 28]` each.
  public let train: LabelledImages
  /// The test images, `[28, 28]` each.
  public let test: LabelledImages

  /// What the labels 0 to 9 mean.
  public static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  /// The shipped subset in `data/fashion-mnist`: 10,000 training and 2,000 test images, balanced over the classes.
  ///
  /// - Throws: `DataError` if the files are not there or damaged.
  public init() throws(DataError) {
    try self.init(folder: ShippedData.folder("fashion-mnist"), remedy: ShippedData.remedy)
  }

  /// The full set, or any other with the same four files, such as MNIST.
  ///
  /// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
  /// `t10k-labels-idx1-ubyte`, or the same with `.gz`; where both are there the one without is read.
  ///
  /// - Throws: `DataError` if a file is missing or damaged, or holds other than 28x28 images or labels above 9.
  public init(folder: String) throws(DataError) {
    try self.init(folder: folder, remedy: "get the file again from its source")
  }

  private init(folder: String, remedy: String) throws(DataError) {
    let paths = try Self.findFiles(in: folder)
    train = try LabelledImages(imagesFile: paths[0], labelsFile: paths[1], height: 28, width: 28, remedy: remedy)
    test = try LabelledImages(imagesFile: paths[2], labelsFile: paths[3], height: 28, width: 28, remedy: remedy)
  }

  private static let names = [
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
  ]

  private static func findFiles(in folder: String) throws(DataError) -> [String] {
    let exists = FileManager.default.fileExists(atPath: folder)
    guard ShippedData.isFolder(folder) else {
      throw DataError(
        path: folder, problem: exists ? "this is a file, not a folder" : "there is no such folder",
        remedy: "give the folder that holds the four files \(names[0])[.gz] and so on")
    }
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    let found = names.map { name in
      [base + name, base + name + ".gz"].first { FileManager.default.fileExists(atPath: $0) }
    }
    let missing = zip(names, found).filter { $0.1 == nil }.map { $0.0 }
    guard missing.isEmpty else {
      throw DataError(
        path: folder, problem: "\(missing.joined(separator: ", ")) not found there, neither gzipped nor plain",
        remedy: "put the four files of Fashion-MNIST or MNIST into one folder; `apt-get install "
          + "dataset-fashion-mnist` puts them into /usr/share/datasets/fashion-mnist")
    }
    return found.compactMap { $0 }
  }
}
