/// A host's value with fields and methods: a structure, in the language's terms.
public protocol TemplateObject: AnyObject, Sendable {
  /// The Go name of its type, for messages and `%T`; begin it with `*` where nil would be possible.
  var typeName: String { get }

  /// The field or method of that name, nil when there is none. Throws what fetching the field throws.
  func member(_ name: ByteString) throws -> TemplateMember?

  /// Fields in the order in which `%v` prints them.
  var fields: [(name: ByteString, value: TemplateValue)] { get }

  /// How the object prints, where it has a text of its own (a Go `Stringer`); nil to print the fields.
  var printed: ByteString? { get }
}

extension TemplateObject {
  /// None.
  public var fields: [(name: ByteString, value: TemplateValue)] { [] }
  /// None: prints the fields.
  public var printed: ByteString? { nil }
}

/// What an object has under a name.
public enum TemplateMember: Sendable {
  case field(TemplateValue)
  /// Called at once with the arguments that follow it.
  case method(TemplateFunction)
}

/// An object that has fields and nothing else.
public final class TemplateRecord: TemplateObject {
  /// The Go name of the type.
  public let typeName: String
  /// The fields in the order in which they print.
  public let fields: [(name: ByteString, value: TemplateValue)]

  /// A record whose fields print in the given order.
  public init(_ typeName: String, _ fields: [(name: ByteString, value: TemplateValue)]) {
    self.typeName = typeName
    self.fields = fields
  }

  /// The field of that name.
  public func member(_ name: ByteString) -> TemplateMember? {
    fields.first { $0.name == name }.map { .field($0.value) }
  }
}
