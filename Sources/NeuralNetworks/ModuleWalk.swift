import Tensors

/// A cell that holds a tensor of a module.
protocol TensorCell: AnyObject {
  var wrappedValue: Tensor { get set }
}

/// Finds the cells of a module, and of all that it holds, through its stored properties.
struct ModuleWalk {
  private(set) var found: [(name: String, cell: any TensorCell)] = []
  private var seen: Set<ObjectIdentifier> = []

  init(_ module: any Module) {
    visit(module, at: "")
    var names: Set<String> = []
    for (name, _) in found where !names.insert(name).inserted {
      fail("Module", "two tensors of \(type(of: module)) have the name \(name); rename one of the properties")
    }
  }

  private mutating func visit(_ value: Any, at path: String) {
    // Types before casts: a cast of an array to a protocol of classes copies the array.
    if type(of: value) is AnyClass {
      visitObject(value, at: path)
    } else if !Self.isPlain(value) {
      visitContents(of: value, at: path)
    }
  }

  private mutating func visitObject(_ object: Any, at path: String) {
    if let cell = object as? any TensorCell {
      if seen.insert(ObjectIdentifier(cell)).inserted { found.append((path, cell)) }
    } else if let module = object as? any Module {
      if seen.insert(ObjectIdentifier(module)).inserted { visitChildren(of: Mirror(reflecting: module), at: path) }
    } else if Self.children(of: Mirror(reflecting: object)).contains(where: { Self.isFound($0.value) }) {
      // Not walked: it may lead anywhere. What it holds itself is surely a mistake.
      let name = "\(type(of: object))"
      fail("Module", "\(path) is of the class \(name), which holds parameters but is no Module; write \(name): Module")
    }
  }

  private mutating func visitContents(of value: Any, at path: String) {
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional: for child in mirror.children { visit(child.value, at: path) }
    case .struct, .tuple, .enum, .collection: visitChildren(of: mirror, at: path)
    case .dictionary: visitDictionary(mirror, at: path)
    case .set:
      let before = found.count
      visitChildren(of: mirror, at: path)
      guard found.count == before else {
        fail("Module", "\(path) is a set, whose order changes from run to run; hold its modules in an array")
      }
    default: break
    }
  }

  private mutating func visitChildren(of mirror: Mirror, at path: String) {
    for (index, child) in Self.children(of: mirror).enumerated() {
      visit(child.value, at: Self.join(path, child.label.map(Self.propertyName) ?? String(index)))
    }
  }

  /// Entries by ascending key, since a dictionary's own order changes from run to run.
  private mutating func visitDictionary(_ mirror: Mirror, at path: String) {
    let entries = mirror.children.map { child in
      let pair = Array(Mirror(reflecting: child.value).children)
      return (key: "\(pair[0].value)", value: pair[1].value)
    }
    for entry in entries.sorted(by: { $0.key < $1.key }) { visit(entry.value, at: Self.join(path, entry.key)) }
  }

  /// Whether a value is a cell or a module, or an optional one.
  private static func isFound(_ value: Any) -> Bool {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional { return mirror.children.contains { isFound($0.value) } }
    return mirror.displayStyle == .class && (value is any TensorCell || value is any Module)
  }

  /// Children, those of superclasses first.
  private static func children(of mirror: Mirror) -> [Mirror.Child] {
    (mirror.superclassMirror.map(children) ?? []) + mirror.children
  }

  /// The name as declared: a property wrapper is stored with an underscore, a lazy property with a prefix, a tuple's
  /// element with a dot.
  private static func propertyName(_ label: String) -> String {
    for prefix in ["$__lazy_storage_$_", "_", "."] where label.hasPrefix(prefix) {
      return String(label.dropFirst(prefix.count))
    }
    return label
  }

  private static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : path + "." + name }

  /// Whether nothing can be found in a value; spares walking long arrays of numbers.
  private static func isPlain(_ value: Any) -> Bool {
    if value is Tensor || value is IndexTensor || value is String || value is Bool || value is any Numeric {
      return true
    }
    guard let collection = value as? any Collection else { return false }
    let element = elementType(of: collection)
    return element is any Numeric.Type || element is Tensor.Type || element is String.Type || element is Bool.Type
  }

  private static func elementType<Values: Collection>(of collection: Values) -> Any.Type { Values.Element.self }
}
