/// An expression as parsed, with its place. Immutable; shared freely between threads.
public final class Expression: Sendable {
  /// What kind of expression it is, with its parts.
  public indirect enum Kind: Sendable {
    /// A number, `true`, `false`, `null`, or the literal text of a template.
    case literal(Value)
    /// A variable and what follows it: `var.x[0]`.
    case traversal(Traversal)
    /// Constant steps after something that is no variable: `f().x`.
    case relativeTraversal(Expression, [Traversal.Step])
    case index(Expression, key: Expression)
    /// `source[*]…` or `source.*…`; `each` is evaluated for every element, which it names by `splatElement`.
    case splat(source: Expression, each: Expression)
    case splatElement
    case call(Call)
    case conditional(condition: Expression, then: Expression, otherwise: Expression)
    case binary(BinaryOperator, Expression, Expression, operatorRange: SourceRange)
    case unary(UnaryOperator, Expression)
    case tuple([Expression])
    case object([ObjectItem])
    case forTuple(ForClause, value: Expression)
    /// With `grouped`, values of equal keys are gathered into tuples.
    case forObject(ForClause, key: Expression, value: Expression, grouped: Bool)
    /// Strings joined; each part converts to string.
    case template([Expression])
    /// A template of one interpolation only: the value passes through with its type.
    case templateWrap(Expression)
    /// `%{ for }`: the parts for each element, joined.
    case templateFor(ForClause, body: Expression)
    case parenthesized(Expression)
    /// An expression that sees more variables than its surroundings: what `dynamic` blocks expand to.
    case scoped(Expression, [String: Value])
  }

  /// A call of a function.
  public struct Call: Sendable {
    /// Name of the function.
    public var name: String
    /// The place of the name.
    public var nameRange: SourceRange
    /// The arguments, in order.
    public var arguments: [Expression]
    /// The last argument is a list of arguments (`...`).
    public var expandsLast: Bool
    /// From the opening parenthesis to the closing one.
    public var argumentsRange: SourceRange
  }

  /// `key = value` in an object.
  public struct ObjectItem: Sendable {
    /// The key; a bare name is a text.
    public var key: Expression
    /// The value.
    public var value: Expression
    /// The name where the key is one bare word; then it's no variable.
    public var bareName: String?
  }

  /// What stands between `for` and the result.
  public struct ForClause: Sendable {
    /// The variable for keys or indexes, if one is named.
    public var keyVariable: String?
    /// The variable for elements.
    public var valueVariable: String
    /// What is gone through.
    public var collection: Expression
    /// What stands behind `if`: elements for which it is false are left out.
    public var condition: Expression?
  }

  /// What kind of expression it is.
  public let kind: Kind
  /// Its place in the source.
  public let range: SourceRange
  /// Levels of expressions from here down, bounded by the parser so that walking one needs little stack.
  let depth: Int

  init(_ kind: Kind, _ range: SourceRange) {
    self.kind = kind
    self.range = range
    var deepest = 0
    Expression.forEachChild(of: kind) { deepest = max(deepest, $0.depth) }
    depth = deepest + 1
  }

  /// A constant as an expression, for values that come from elsewhere than HCL text.
  public static func constant(_ value: Value, range: SourceRange) -> Expression {
    Expression(.literal(value), range)
  }

  static func forEachChild(of kind: Kind, _ visit: (Expression) -> Void) {
    func clause(_ f: ForClause) {
      visit(f.collection)
      if let condition = f.condition { visit(condition) }
    }
    switch kind {
    case .literal, .traversal, .splatElement: break
    case .relativeTraversal(let e, _), .unary(_, let e), .templateWrap(let e), .parenthesized(let e), .scoped(let e, _):
      visit(e)
    case .index(let e, let key):
      visit(e)
      visit(key)
    case .splat(let source, let each):
      visit(source)
      visit(each)
    case .call(let call): call.arguments.forEach(visit)
    case .conditional(let condition, let then, let otherwise):
      visit(condition)
      visit(then)
      visit(otherwise)
    case .binary(_, let left, let right, _):
      visit(left)
      visit(right)
    case .tuple(let elements), .template(let elements): elements.forEach(visit)
    case .object(let items):
      for item in items {
        visit(item.key)
        visit(item.value)
      }
    case .forTuple(let f, let value), .templateFor(let f, let value):
      clause(f)
      visit(value)
    case .forObject(let f, let key, let value, _):
      clause(f)
      visit(key)
      visit(value)
    }
  }

  /// The expression without parentheses around it.
  public var unwrapped: Expression {
    switch kind {
    case .parenthesized(let inner), .scoped(let inner, _): inner.unwrapped
    default: self
    }
  }

  /// The word when the expression is one bare word, such as `string` or `any` in a type constraint.
  public var keyword: String? {
    switch kind {
    case .traversal(let traversal) where traversal.steps.isEmpty: traversal.root
    case .literal(let value) where value.type == .bool: value == .true ? "true" : "false"
    case .literal(let value) where value.isNull: "null"
    default: nil
    }
  }

  /// The traversal when the expression is nothing but one.
  public var traversal: Traversal? {
    if case .traversal(let traversal) = unwrapped.kind { traversal } else { nil }
  }

  /// The text when the expression is a string without interpolations.
  public var literalString: String? {
    switch kind {
    case .literal(let value): value.asString
    case .template(let parts):
      parts.allSatisfy({ if case .literal(let v) = $0.kind { v.asString != nil } else { false } })
        ? parts.compactMap { if case .literal(let v) = $0.kind { v.asString } else { nil } }.joined() : nil
    default: nil
    }
  }
}

/// Operators with two operands, as they are written.
public enum BinaryOperator: String, Sendable {
  case or = "||"
  case and = "&&"
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case modulo = "%"
}

/// Operators with one operand, as they are written.
public enum UnaryOperator: String, Sendable {
  case negate = "-"
  case not = "!"
}

/// A variable name and constant steps from it.
public struct Traversal: Sendable, Hashable {
  /// One `.name` or `[key]`.
  public struct Step: Sendable, Hashable {
    /// An attribute by name, or an element by index or key.
    public enum Kind: Sendable, Hashable {
      case attribute(String)
      case index(Value)
    }
    /// What the step goes to.
    public var kind: Kind
    /// The place of the step.
    public var range: SourceRange
  }

  /// The variable that it begins with.
  public var root: String
  /// The place of that name.
  public var rootRange: SourceRange
  /// The steps from there, in order.
  public var steps: [Step]

  /// As it is written in source, without white space: `var.x[0]["y"]`.
  public var text: String {
    var out = root
    for step in steps {
      switch step.kind {
      case .attribute(let name): out += "." + name
      case .index(let key):
        if let text = key.asString {
          out += "[" + JSONText.quoted(text, escapingHTML: false) + "]"
        } else {
          out += "[" + (key.asNumber?.description ?? "null") + "]"
        }
      }
    }
    return out
  }

  /// From the variable's name to the last step.
  public var range: SourceRange {
    steps.last.map { .between(rootRange, $0.range) } ?? rootRange
  }
}

extension Expression {
  /// Every reference to a variable from outside of the expression, in source order. Names that a `for` defines are left out
  /// where they are in scope.
  public var variables: [Traversal] {
    var out: [Traversal] = []
    collect(&out, hiding: [])
    return out
  }

  private func collect(_ out: inout [Traversal], hiding hidden: Set<String>) {
    func walk(_ f: ForClause, _ rest: [Expression]) {
      f.collection.collect(&out, hiding: hidden)
      var inner = hidden
      if let key = f.keyVariable { inner.insert(key) }
      inner.insert(f.valueVariable)
      for expression in rest { expression.collect(&out, hiding: inner) }
      f.condition?.collect(&out, hiding: inner)
    }
    switch kind {
    case .traversal(let traversal):
      if !hidden.contains(traversal.root) { out.append(traversal) }
    case .object(let items):
      for item in items {
        if item.bareName == nil { item.key.collect(&out, hiding: hidden) }
        item.value.collect(&out, hiding: hidden)
      }
    case .forTuple(let f, let value), .templateFor(let f, let value): walk(f, [value])
    case .forObject(let f, let key, let value, _): walk(f, [key, value])
    case .scoped(let inner, let names): inner.collect(&out, hiding: hidden.union(names.keys))
    default: Expression.forEachChild(of: kind) { $0.collect(&out, hiding: hidden) }
    }
  }
}
