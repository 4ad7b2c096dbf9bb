/// An immutable list of values of one type.
///
/// `@unchecked Sendable`: `elements` is written by the initialiser and by `moveChildren`, which runs only when a single
/// reference is left, so no two threads can see a write.
public final class TemplateList: TemplateContainer, @unchecked Sendable {
  /// The elements, in order.
  public private(set) var elements: [TemplateValue]
  /// What the elements are; `.any` for a mixed list.
  public let elementType: ValueType

  /// A list; `type` must be the type of every element, or `.any`.
  public init(_ elements: [TemplateValue], of type: ValueType = .any) {
    self.elements = elements
    self.elementType = type
  }

  /// Number of elements.
  public var count: Int { elements.count }

  override func moveChildren(into pending: inout [TemplateContainer]) {
    Self.collect(elements, into: &pending)
    elements = []
  }

  deinit {
    if !elements.isEmpty { dismantle() }
  }
}
