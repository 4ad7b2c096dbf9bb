/// An immutable record that many can hold: a change makes a new one, so whoever has an old one keeps reading it in peace.
///
/// `shared.field` reads a field of the value; hot loops write `shared.value.field`.
@dynamicMemberLookup
public final class Shared<Value: Sendable>: Sendable {
  /// The record.
  public let value: Value

  /// A new record.
  @inlinable public init(_ value: Value) { self.value = value }

  /// A field of the record.
  @inlinable public subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member { value[keyPath: path] }
}
